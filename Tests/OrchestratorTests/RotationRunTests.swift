import Rotation
import Synchronization
import TestSupport
import Testing

@testable import Orchestrator

@Suite("A rotation's run and its inbox", .serialized)
struct RotationRunTests {
  @Test(
    "A command that the run does not live to take is answered: the rotation is over for whoever gave it"
  )
  func unanswered() async {
    let inbox = RotationInbox()
    async let first = inbox.give(.abort(requester: "uid:0"))
    async let second = inbox.give(.allow(RotationOptions(removeForeign: true)))
    var taken = 0
    for await message in inbox.messages {
      guard case .command = message else {
        Issue.record("nothing but commands was sent")
        break
      }
      taken += 1
      if taken == 2 { break }
    }
    inbox.close()
    #expect(await [first, second] == [.ended, .ended])
    #expect(await inbox.give(.abort(requester: "uid:0")) == .ended)
  }

  @Test("A command is answered once, with the first answer")
  func once() async {
    let inbox = RotationInbox()
    async let answer = inbox.give(.abort(requester: "uid:0"))
    for await message in inbox.messages {
      guard case .command(_, _, let reply) = message else { break }
      #expect(!reply.isSent)
      reply.send(.retired(["cp-1"]))
      #expect(reply.isSent)
      reply.send(.done)
      break
    }
    inbox.close()
    #expect(await answer == .retired(["cp-1"]))
  }

  @Test(
    "Whoever cancels while the first change is under way is told what came of it",
    arguments: 0..<40)
  func abortDuringTry(seed: Int) throws {
    var generator = RandomSeed(UInt64(seed)).generator
    let world = World(seed: UInt64(seed), controlPlanes: 1, workers: 1)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    // The members are read and the first change is sent within these milliseconds.
    try process.pass(.milliseconds(Int64.random(in: 0...600, using: &generator)))
    let outcome = Result {
      try world.perform {
        try await process.orchestrator.abort(cluster: "demo", requester: "uid:0")
      }
    }
    let applied = world.demo.state.withLock { $0.applied }
    switch outcome {
    case .success(let end):
      #expect(end.state == (applied == 0 ? .aborted : .aborting), "seed \(seed)")
      #expect(try process.runToEnd()?.state == .aborted, "seed \(seed)")
      let after = world.demo.state.withLock { $0.applied }
      #expect(applied > 0 || after == 0, "seed \(seed)")
      try process.pass(.seconds(60))
      #expect(world.demo.state.withLock { $0.applied } == after, "seed \(seed): changed afterwards")
      let old = SimulatedCluster.firstAuthority(.talosCA, "demo")
      #expect(world.demo.expectOnly(old, .talosCA) == [], "seed \(seed)")
    case .failure(let error): Issue.record("seed \(seed): \(error)")
    }
    world.expectUnbroken("seed \(seed)")
    try process.stop()
  }

  @Test(
    "A machine that has been waited for long is looked at as soon as it shows a change, and at the latest after the pause",
    arguments: 0..<8)
  func changeShown(seed: Int) throws {
    for shows in [false, true] {
      let world = World(
        seed: UInt64(seed), controlPlanes: 1, workers: 1,
        mischief: Mischief(outage: 1000, shows: shows))
      let process = try world.bootWithClusters()
      _ = try process.rotate()
      #expect(try process.runToEnd()?.state == .succeeded, "seed \(seed)")
      world.expectUnbroken("seed \(seed)")
      let pauses = world.demo.state.withLock { $0.pauses }
      // Short pauses are not left to the driver.
      #expect(!pauses.isEmpty && pauses.allSatisfy { $0.limit >= .seconds(2) }, "seed \(seed)")
      #expect(pauses.allSatisfy { $0.slept <= $0.limit }, "seed \(seed)")
      #expect(pauses.contains { $0.slept < $0.limit } == shows, "seed \(seed)")
      try process.stop()
    }
  }

  @Test(
    "A cluster that is forgotten while its rotation begins is gone for good, or the rotation goes on",
    arguments: 0..<60)
  func forgottenWhileBeginning(seed: Int) throws {
    let world = World(seed: UInt64(seed), controlPlanes: 1, workers: 1)
    let process = try world.bootWithClusters()
    var generator = RandomSeed(UInt64(seed)).generator
    let (first, second) = (
      Int64.random(in: 0...250, using: &generator), Int64.random(in: 0...250, using: &generator)
    )
    let orchestrator = process.orchestrator
    let (isForgotten, isStarted) = try world.perform {
      async let forgotten = Result.catching {
        try await world.clock.sleep(for: .milliseconds(first))
        _ = try await orchestrator.forgetCluster("demo", force: seed % 2 == 0)
      }
      async let started = Result.catching {
        try await world.clock.sleep(for: .milliseconds(second))
        _ = try await orchestrator.rotate(cluster: "demo", component: .talosCA)
      }
      return (await forgotten.isSuccess, await started.isSuccess)
    }
    let rotations = try world.perform {
      try await world.journal.rotations(cluster: "demo", before: nil, limit: 10)
    }
    if isForgotten {
      let applied = world.demo.state.withLock { $0.applied }
      #expect(rotations.isEmpty, "seed \(seed): a rotation without a cluster")
      try process.pass(.seconds(60))
      #expect(world.demo.state.withLock { $0.applied } == applied, "seed \(seed): still at work")
    } else {
      #expect(isStarted, "seed \(seed): neither went through")
      #expect(try process.runToEnd()?.state == .succeeded, "seed \(seed)")
    }
    world.expectUnbroken("seed \(seed)")
    try process.stop()
  }
}

extension Result where Success == Void, Failure == any Error {
  fileprivate static func catching(_ body: () async throws -> Void) async -> Self {
    do { return .success(try await body()) } catch { return .failure(error) }
  }

  fileprivate var isSuccess: Bool {
    if case .success = self { true } else { false }
  }
}
