import Orchestrator
import Rotation
import Testing

/// What a rotation leaves on record once it is over.
@Suite("Reports and timelines in simulated time", .serialized)
struct RotationReportTests {
  private func report(_ process: Process, _ id: String = "") throws -> String {
    try process.world.perform {
      try await process.orchestrator.report(cluster: "demo", rotationID: id)
    }
  }

  private func refusal(_ process: Process, _ id: String = "") -> OrchestratorError? {
    do { _ = try report(process, id) } catch { return error as? OrchestratorError }
    return nil
  }

  @Test(
    "A rotation that has succeeded shows when each machine had its turn in each stage",
    arguments: SecretComponent.allCases)
  func timeline(component: SecretComponent) throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    _ = try process.rotate(component)
    #expect(refusal(process)?.code == .noReport, "it is not over")
    let end = try #require(try process.runToEnd())
    let started = try #require(end.startedAt)
    let refused = try #require(end.refusedEverywhereAt)
    #expect(started < refused && refused <= end.finishedAt ?? started)
    var last: [RotationPhase: Instant] = [:]
    for machine in end.machines {
      #expect(machine.times.map(\.phase) == RotationPhase.allCases)
      #expect(machine.times.allSatisfy { $0.direction == .forward })
      for times in machine.times {
        let verified = try #require(times.verifiedAt)
        #expect(times.begunAt <= verified && verified <= refused && times.begunAt >= started)
        last[times.phase] = max(last[times.phase] ?? verified, verified)
      }
    }
    for machine in end.machines {
      for (before, after) in zip(machine.times, machine.times.dropFirst()) {
        let closed = try #require(last[before.phase])
        #expect(
          after.begunAt >= closed, "a stage begins when every machine has finished the one before")
      }
    }
    let planes = end.machines.filter { $0.role == .controlPlane }
    for (a, b) in zip(planes, planes.dropFirst()) {
      for (first, second) in zip(a.times, b.times) {
        let verified = try #require(first.verifiedAt)
        #expect(verified <= second.begunAt, "one control plane at a time")
      }
    }
    try process.stop()
  }

  @Test(
    "The report names both authorities, every machine, what it has shown, and is the same each time"
  )
  func text() throws {
    let world = World(seed: 3)
    let process = try world.bootWithClusters()
    let id = try process.rotate().status.rotationID
    let end = try #require(try process.runToEnd())
    let text = try report(process)
    #expect(text.hasPrefix("omnid rotation report, version 1\n"))
    for part in [
      "Every machine refuses the old CA and accepts the other alone.", id, end.oldFingerprint,
      end.newFingerprint, "refused:             sha256 \(end.oldFingerprint)",
      "refused everywhere:  \(end.refusedEverywhereAt!)", "machines:            5",
    ] { #expect(text.contains(part), "\(part)") }
    for machine in end.machines {
      #expect(text.contains("Machine \(machine.machine) ("))
      #expect(!machine.checks.isEmpty)
      #expect(machine.checks.allSatisfy { $0.result.isSettled })
    }
    #expect(try report(process, id) == text)
    // The process dies; a later rotation takes the place of the newest.
    try process.kill()
    let next = try world.boot()
    _ = try next.rotate(.kubernetesCA)
    _ = try next.runToEnd()
    #expect(try report(next, id) == text)
    #expect(try report(next).contains("kubernetes-ca"))
    try next.stop()
  }

  @Test("A rotation that went back reports that the new authority is refused")
  func aborted() throws {
    let world = World(seed: 5)
    let process = try world.bootWithClusters()
    _ = try process.rotate()
    try world.perform {
      while try await process.orchestrator.status(cluster: "demo").phase != .rotate {
        try await world.clock.sleep(for: .milliseconds(50))
      }
      while true {
        do {
          _ = try await process.orchestrator.abort(cluster: "demo", requester: "uid:0")
          break
        } catch is OrchestratorError { try await world.clock.sleep(for: .seconds(1)) }
      }
    }
    let end = try #require(try process.runToEnd())
    #expect(end.state == .aborted)
    let text = try report(process)
    #expect(text.contains("Every machine refuses the new CA, which the rotation had brought,"))
    #expect(text.contains("refused:             sha256 \(end.newFingerprint)"))
    #expect(text.contains("aborted by:          uid:0 at "))
    #expect(text.contains("undo PRE_ROTATE"))
    for machine in end.machines {
      let kinds = machine.times.map { "\($0.direction) \($0.phase)" }
      #expect(kinds.last == "backward preRotate")
      #expect(Set(kinds).count == kinds.count, "one entry for each stage and direction")
    }
    try process.stop()
  }

  @Test("What was never rotated, is unknown, or belongs to another cluster has no report")
  func none() throws {
    let world = World(seed: 1)
    let process = try world.bootWithClusters()
    #expect(refusal(process)?.code == .rotationNotFound)
    #expect(refusal(process, "nothing")?.code == .rotationNotFound)
    try process.stop()
  }
}
