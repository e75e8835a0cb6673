import Orchestrator
import Rotation
import Synchronization
import TestSupport
import Testing

/// Events through deaths and restarts: what has been shown is shown again, under the same key.
@Suite("Events in simulated time", .serialized)
struct EventSimulationTests {
  /// Everything that was shown, by its key.
  private final class Seen: Sendable {
    private let events = Mutex<[[String]: ClusterEvent]>([:])

    func add(_ new: [ClusterEvent]) {
      events.withLock { events in for event in new { events[event.key] = event } }
    }

    var all: [ClusterEvent] { events.withLock { Array($0.values) } }

    /// The keys of what happened once.
    var news: Set<[String]> { Set(all.filter { !$0.isCondition }.map(\.key)) }
  }

  /// Collects the events until the cluster is idle or the process has died.
  private func watch(_ process: Process, _ seen: Seen) throws -> RotationSnapshot? {
    try process.world.perform {
      while !process.life.isDead {
        seen.add(try await process.orchestrator.events(cluster: "demo"))
        let status = try await process.orchestrator.status(cluster: "demo")
        if status.isIdle { return status }
        try await process.world.clock.sleep(for: .milliseconds(250))
      }
      return nil
    }
  }

  private func final(_ process: Process) throws -> Set<[String]> {
    let events = try process.world.perform {
      try await process.orchestrator.events(cluster: "demo")
    }
    return Set(events.filter { !$0.isCondition }.map(\.key))
  }

  /// What a rotation is told by in the end.
  private static let whole: [[String]] = [
    ["started"], ["stage", "PRE_ROTATE", "forward"], ["stage", "ROTATE", "forward"],
    ["stage", "POST_ROTATE", "forward"], ["ended"],
  ]

  @Test(
    "omnid dies at every single step of a rotation: its events are the same afterwards, none is missing, none is there twice",
    arguments: SecretComponent.allCases)
  func deathAtEveryStep(component: SecretComponent) throws {
    var lifetime = 1
    while true {
      let world = World(seed: UInt64(lifetime), controlPlanes: 1, workers: 1)
      try world.bootWithClusters().stop()
      let process = try world.boot(lifetime: lifetime)
      let seen = Seen()
      let ticket = try? process.rotate(component, requestID: "one")
      let end = try ticket == nil ? nil : watch(process, seen)
      try process.kill()
      let again = try world.boot()
      _ = try again.rotate(component, requestID: "one")
      #expect(try watch(again, seen)?.state == .succeeded, "\(lifetime)")
      let id = try again.status().rotationID
      let expected = Set(Self.whole.map { ["demo", id] + $0 })
      #expect(try final(again) == expected, "\(lifetime)")
      #expect(seen.news == expected, "\(lifetime)")
      try again.stop()
      if end != nil { break }
      lifetime += 1
      try #require(lifetime < 5000)
    }
    #expect(lifetime > 30)
  }

  @Test("An abort is told once, with what it undoes, through deaths", arguments: 0..<20)
  func aborts(seed: UInt64) throws {
    let world = World(seed: seed, controlPlanes: 2, workers: 1)
    try world.bootWithClusters().stop()
    let process = try world.boot(lifetime: 30 + Int(seed) * 5)
    let seen = Seen()
    let id = (try? process.rotate(.talosCA, requestID: "one"))?.status.rotationID ?? ""
    try process.pass(.seconds(2))
    _ = try? world.perform {
      try await process.orchestrator.abort(cluster: "demo", rotationID: id, requester: "uid:0")
    }
    _ = try? watch(process, seen)
    try process.kill()
    let again = try world.boot()
    _ = try watch(again, seen)
    let last = try final(again)
    #expect(seen.news.isSubset(of: last))
    let kinds = last.map { $0.dropFirst(2).first ?? "" }
    #expect(kinds.count { $0 == "started" } == 1 && kinds.count { $0 == "ended" } == 1)
    #expect(kinds.count { $0 == "abort" } <= 1)
    #expect(Set(last).count == last.count)
    try again.stop()
  }

  @Test("A wait that outlives a process is the same wait to the next one")
  func waiting() throws {
    let world = World(seed: 3)
    var process = try world.bootWithClusters()
    world.demo.takeDown("demo-cp-1", for: .seconds(4000))
    _ = try process.rotate()
    let seen = Seen()
    for _ in 0..<3 {
      for _ in 0..<100 {
        try process.pass(.seconds(10))
        seen.add(
          try world.perform { [process] in
            try await process.orchestrator.events(cluster: "demo")
          })
      }
      try process.kill()
      process = try world.boot()
    }
    let waits = seen.all.filter { event in
      if case .waiting(let wait) = event.kind {
        wait.subject == .machine("demo-cp-1")
      } else {
        false
      }
    }
    #expect(waits.count == 1)
    #expect(try process.runToEnd()?.state == .succeeded)
    let last = try world.perform { [process] in
      try await process.orchestrator.events(cluster: "demo")
    }
    #expect(last.allSatisfy { !$0.isCondition })
    try process.stop()
  }

  @Test(
    "Rotations that ended before the newest began are told of, back to the time that is asked for")
  func history() throws {
    let world = World(seed: 5, controlPlanes: 1, workers: 1)
    let process = try world.bootWithClusters()
    var ended: [Instant] = []
    for _ in 0..<7 {
      _ = try process.rotate()
      ended.append(try #require(try process.runToEnd()?.finishedAt))
      try process.pass(.seconds(600))
    }
    func told(since: Instant?) throws -> Int {
      let events = try world.perform {
        try await process.orchestrator.events(cluster: "demo", since: since)
      }
      #expect(Set(events.map(\.key)).count == events.count)
      return events.count { $0.kind == .rotationEnded }
    }
    #expect(try told(since: nil) == 1)
    for (index, end) in ended.enumerated() {
      #expect(try told(since: end) == ended.count - index)
    }
    #expect(try told(since: ended[6].advanced(by: .seconds(1))) == 1)
    try process.stop()
  }
}
