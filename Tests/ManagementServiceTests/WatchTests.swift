import Orchestrator
import RPC
import Rotation
import Schema
import Synchronization
import Testing

@testable import ManagementService

@Suite("WatchRotationStatus", .timeLimit(.minutes(1)))
struct WatchTests {
  @Test("Every stage is seen, machine by machine, with strictly rising revisions, to the end")
  func wholeRotation() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    _ = try await served.rotate()
    let seen = try await served.watch(stopWhenIdle: true) { _ in
      served.driver.update { $0.held = [] }
      return false
    }
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.revision < $1.revision })
    let last = try #require(seen.last)
    #expect(last.state == .succeeded)
    #expect(last.finishedAt != nil)
    let running = seen.filter { $0.state == .running }
    #expect(running.map(\.phase.rawValue) == running.map(\.phase.rawValue).sorted())
    #expect(Set(running.map(\.phase)) == [.preRotate, .rotate, .postRotate])
    for status in running {
      let open = status.machines.filter { $0.state != .done && $0.state != .pending }
      if open.contains(where: \.controlPlane) { #expect(open.count == 1) }
    }
    let workers: Set = ["worker-1", "worker-2"]
    for (index, phase) in ["PRE_ROTATE", "ROTATE", "POST_ROTATE"].enumerated() {
      let machines = served.driver.applied[(index * 5)..<(index * 5 + 5)]
      #expect(machines.prefix(3) == ["\(phase) cp-1", "\(phase) cp-2", "\(phase) cp-3"])
      #expect(Set(machines.suffix(2)) == Set(workers.map { "\(phase) \($0)" }))
    }
  }

  @Test("A watch takes no large request, because it keeps the request for as long as it lasts")
  func largeRequest() async throws {
    let served = try await ServedManagement()
    await #expect {
      _ = try await served.watch(String(repeating: "x", count: 10_000), stopWhenIdle: true)
    } throws: {
      ($0 as? RPCError)?.code == .resourceExhausted
    }
  }

  @Test("Two watchers and a late one end with the same last status")
  func sameEnd() async throws {
    let served = try await ServedManagement(.init(held: ["worker-2"]))
    _ = try await served.rotate()
    async let first = served.watch(stopWhenIdle: true)
    async let second = served.watch(stopWhenIdle: true)
    try await Task.sleep(for: .milliseconds(20))
    async let late = served.watch("", stopWhenIdle: true)
    served.driver.update { $0.held = [] }
    let ends = try await [first.last, second.last, late.last]
    #expect(ends[0]?.state == .succeeded)
    #expect(ends[0] == ends[1] && ends[1] == ends[2])
    #expect(ends[0] == (try await served.status()))
  }

  @Test("after_revision leaves out what is not newer")
  func resumes() async throws {
    let served = try await ServedManagement()
    _ = try await served.rotate()
    let last = try await served.finish()
    #expect(try await served.watch(after: last.revision, stopWhenIdle: true).isEmpty)
    #expect(try await served.watch(after: last.revision - 1, stopWhenIdle: true) == [last])
    let next = Task {
      try await served.watch(after: last.revision) { $0.state == .succeeded }
    }
    _ = try await served.rotate("demo", .kubernetesCA)
    let seen = try await next.value
    #expect(seen.allSatisfy { $0.revision > last.revision && $0.component == .kubernetesCA })
  }

  @Test("A revision from the future is INVALID_ARGUMENT")
  func future() async throws {
    let served = try await ServedManagement()
    let error = try await failure { _ = try await served.watch(after: 1_000_000) }
    #expect(error.code == .invalidArgument)
    #expect(
      error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field) == ["after_revision"])
  }

  @Test("With stop_when_idle the stream of an idle cluster ends with OK after the snapshot")
  func idle() async throws {
    let served = try await ServedManagement()
    let seen = try await served.watch(stopWhenIdle: true)
    #expect(seen.map(\.state) == [.idle])
    #expect(seen.map(\.cluster) == ["demo"])
  }

  @Test("Without stop_when_idle the stream goes on after a rotation")
  func goesOn() async throws {
    let served = try await ServedManagement()
    let watch = Task {
      try await served.watch { $0.state == .succeeded && $0.component == .kubernetesCA }
    }
    _ = try await served.rotate()
    try await served.finish()
    _ = try await served.rotate("demo", .kubernetesCA)
    let states = try await watch.value.map(\.state)
    #expect(states.count { $0 == .succeeded } >= 1)
    #expect(states.last == .succeeded)
  }

  @Test("An empty cluster watches all, those imported later too")
  func all() async throws {
    let served = try await ServedManagement(clusters: ["a", "b"])
    let seen = Mutex<Set<String>>([])
    let watch = Task {
      try await served.watch("") { status in
        _ = seen.withLock { $0.insert(status.cluster) }
        return status.cluster == "c"
      }
    }
    while seen.withLock({ $0.count }) < 2 { try await Task.sleep(for: .milliseconds(1)) }
    _ = try await served.orchestrator.importCluster(name: "c", talosconfig: "context: x")
    #expect(Set(try await watch.value.map(\.cluster)) == ["a", "b", "c"])
  }

  @Test("A watch ends with NOT_FOUND when its cluster is forgotten")
  func forgotten() async throws {
    let served = try await ServedManagement()
    let error = try await failure {
      _ = try await served.watch { _ in
        _ = try? await served.orchestrator.forgetCluster("demo")
        return false
      }
    }
    #expect(error.code == .notFound)
  }

  @Test("Draining ends every watch with UNAVAILABLE and refuses new calls likewise")
  func drains() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    _ = try await served.rotate()
    let error = try await failure {
      _ = try await served.watch("") { _ in
        await served.orchestrator.stop()
        return false
      }
    }
    #expect(error.code == .unavailable)
    #expect(error.detail(GoogleRPC.RetryInfo.self)?.retryDelay == ProtoDuration(seconds: 1))
    #expect(try await failure { _ = try await served.rotate() }.code == .unavailable)
    #expect(try await failure { _ = try await served.watch() }.code == .unavailable)
    #expect(try await failure { _ = try await served.status() }.code == .unavailable)
  }

  @Test("A reader that stands still holds up nobody, misses updates and still gets the last one")
  func slowReader() async throws {
    let served = try await ServedManagement()
    let last = Mutex<RotationStatus?>(nil)
    let seen = try await served.watch { status in
      if let last = last.withLock({ $0 }) { return status == last }
      // Many rotations go by while nothing is read.
      for _ in 0..<30 {
        _ = try? await served.rotate()
        _ = try? await served.finish()
      }
      let newest = try? await served.status()
      last.withLock { $0 = newest }
      return false
    }
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.revision < $1.revision })
    #expect(seen.last?.state == .succeeded)
    #expect(UInt64(seen.count) < (seen.last?.revision ?? 0) - seen[0].revision)
  }

  @Test(
    "A watch of changes only is shown a whole status, then machines that changed, to the same end")
  func changesOnly() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    _ = try await served.rotate()
    async let whole = served.watch(stopWhenIdle: true)
    async let changes = served.changes()
    while served.handlers.feed.watches < 2 { try await Task.sleep(for: .milliseconds(1)) }
    served.driver.update { $0.held = [] }
    let statuses = try await Dictionary(
      whole.map { ($0.revision, $0) }, uniquingKeysWith: { $1 })
    let seen = try await changes
    #expect(seen.first?.machinesChangedOnly == false)
    #expect(seen.last?.machinesChangedOnly == false)
    #expect(seen.last?.status?.state == .succeeded)
    let partial = seen.filter(\.machinesChangedOnly)
    #expect(partial.count { ($0.status?.machines.count ?? 9) <= 2 } > 10)
    // What is known after each response is what the other watch is shown.
    var known = RotationStatus()
    for response in seen {
      var status = try #require(response.status)
      if response.machinesChangedOnly {
        let changed = status.machines
        status.machines = known.machines.map { machine in
          changed.first { $0.machine == machine.machine } ?? machine
        }
        status.component = known.component
        status.startedAt = known.startedAt
        status.oldCAFingerprint = known.oldCAFingerprint
        status.newCAFingerprint = known.newCAFingerprint
        status.reason = known.reason
        status.requester = known.requester
        status.notes = known.notes
      }
      known = status
      if let other = statuses[status.revision] { #expect(status == other) }
    }
  }

  @Test("An update is encoded once for all who watch, and kept only while somebody does")
  func encodedOnce() async throws {
    let served = try await ServedManagement()
    let feed = served.handlers.feed
    let watches = (0..<20).map { index in
      Task { try await served.watch(index % 2 == 0 ? "" : "demo", stopWhenIdle: false) }
    }
    while feed.watches < 20 { try await Task.sleep(for: .milliseconds(1)) }
    _ = try await served.rotate()
    let last = try await served.finish()
    // The snapshot, and at most one for each revision after it.
    #expect(feed.encodings <= Int(last.revision))
    #expect(feed.count == 1)
    await served.orchestrator.stop()
    for watch in watches { await #expect(throws: RPCError.self) { try await watch.value } }
    while feed.watches > 0 { try await Task.sleep(for: .milliseconds(1)) }
    #expect(feed.count == 0)
  }
}
