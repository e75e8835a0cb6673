import Orchestrator
import Rotation
import Testing

/// Watches: a snapshot first, then what is newer.
@Suite("Watches")
struct WatchTests {
  @Test("All who watch, early, late or again, end with the same last state")
  func sameEnd() throws {
    let world = World(seed: 2)
    let process = try world.bootWithClusters()
    let early = [try process.record(), try process.record(cluster: nil)]
    _ = try process.rotate()
    try process.pass(.seconds(5))
    let late = try process.record()
    let resumed = try process.record(after: try process.status().revision)
    let end = try #require(try process.runToEnd())
    try process.pass(.seconds(1))
    let after = try process.record()
    try process.pass(.seconds(1))
    for recording in early + [late, resumed, after] {
      #expect(recording.snapshots.last == end)
      expectInOrder(recording.snapshots)
    }
    // Those who were there from the start have seen the same, all of it.
    #expect(early[0].snapshots == early[1].snapshots)
    #expect(Array(early[0].snapshots.suffix(late.snapshots.count)) == late.snapshots)
    #expect(late.snapshots.first?.state == .running)
    #expect(after.snapshots.count == 1)
    #expect(resumed.snapshots.first?.revision == late.snapshots.dropFirst().first?.revision)
  }

  @Test("A reader that keeps up is given every revision that the journal has for its cluster")
  func everyRevision() throws {
    let world = World(seed: 2)
    let process = try world.bootWithClusters()
    let recording = try process.record()
    _ = try process.rotate()
    _ = try process.runToEnd()
    try process.pass(.seconds(1))
    let revisions = recording.snapshots.map(\.revision)
    #expect(revisions == Array(1...revisions.last!))
  }

  @Test(
    "A watch of an idle cluster that is to stop ends after the state, or at once if it is known")
  func stopWhenIdle() throws {
    let world = World(seed: 2)
    let process = try world.bootWithClusters()
    let revision = try process.status().revision
    let known = try process.record(after: revision, stopWhenIdle: true)
    let fresh = try process.record(stopWhenIdle: true)
    let patient = try process.record()
    try process.pass(.seconds(1))
    #expect(known.hasEnded && known.snapshots.isEmpty && known.error == nil)
    #expect(fresh.hasEnded && fresh.snapshots.map(\.state) == [.idle])
    #expect(!patient.hasEnded)
  }

  @Test("A watch that is to stop ends after the last state of the rotation")
  func stopAfterTheEnd() throws {
    let world = World(seed: 2, clusters: ["demo", "other"])
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    _ = try process.rotate(cluster: "other")
    let one = try process.record(stopWhenIdle: true)
    let all = try process.record(cluster: nil, stopWhenIdle: true)
    let end = try #require(try process.runToEnd())
    _ = try process.runToEnd("other")
    try process.pass(.seconds(1))
    #expect(one.hasEnded && one.snapshots.last == end)
    #expect(all.hasEnded && all.snapshots.last?.state == .succeeded)
    for name in ["demo", "other"] {
      #expect(all.snapshots.last { $0.cluster == name }?.state == .succeeded)
    }
  }

  @Test("A reader that sleeps costs a bounded number of snapshots, and then sees the newest")
  func slowReader() throws {
    let world = World(
      seed: 2, clusters: ["demo", "other"], controlPlanes: 3, workers: 3, watchQueueLimit: 10)
    let process = try world.bootWithClusters()
    let slow = try process.orchestrator.watch()
    _ = try process.rotate()
    _ = try process.rotate(cluster: "other")
    let ends = [try process.runToEnd(), try process.runToEnd("other")]
    let rest = try world.perform { () throws -> [RotationSnapshot] in
      var iterator = slow.makeAsyncIterator()
      var rest: [RotationSnapshot] = []
      while rest.filter({ $0.state == .succeeded }).count < 2 {
        guard let next = try await iterator.next(isolation: nil) else { break }
        rest.append(next)
      }
      return rest
    }
    #expect(rest.count <= 10)
    for end in ends { #expect(rest.contains(end!)) }
    for (earlier, later) in zip(rest, rest.dropFirst()) {
      #expect(earlier.revision < later.revision)
    }
  }

  @Test("A watch of a cluster that is forgotten ends; one of all clusters goes on")
  func forgotten() throws {
    let world = World(seed: 2, clusters: ["demo", "other"])
    let process = try world.bootWithClusters()
    let one = try process.record()
    let all = try process.record(cluster: "")
    try process.pass(.seconds(1))
    _ = try world.perform { try await process.orchestrator.forgetCluster("demo") }
    _ = try process.rotate(cluster: "other")
    _ = try process.runToEnd("other")
    try process.pass(.seconds(1))
    #expect(one.error?.code == .notFound)
    #expect(!all.hasEnded && all.snapshots.last?.state == .succeeded)
  }

  @Test("A cancelled watch ends at once and quietly")
  func cancellation() throws {
    let world = World(seed: 2)
    let process = try world.bootWithClusters()
    let watch = try process.orchestrator.watch(cluster: "demo")
    let outcome = try world.perform { () throws -> [RotationState] in
      let reader = Task(executorPreference: world.clock) { () throws -> [RotationState] in
        var states: [RotationState] = []
        for try await snapshot in watch { states.append(snapshot.state) }
        return states
      }
      try await world.clock.sleep(for: .seconds(1))
      reader.cancel()
      return try await reader.value
    }
    #expect(outcome == [.idle])
  }
}
