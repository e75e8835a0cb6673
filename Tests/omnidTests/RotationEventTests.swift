import Rotation
import Testing

@testable import Orchestrator
@testable import omnid

@Suite("Events of a rotation")
struct RotationEventTests {
  private func snapshot(
    _ state: RotationState, id: String = "r1", phase: RotationPhase = .preRotate,
    machines: [MachineProgress] = [], error: String = "", notes: [String] = []
  ) -> RotationSnapshot {
    let stage = Stage(phase: phase, machines: machines)
    let start = Instant(secondsSince1970: 1)
    let position: RotationMachine.State? =
      switch state {
      case .idle: nil
      case .running where machines.isEmpty:
        .assembling(Effort(lastError: error, waitingSince: error.isEmpty ? nil : start))
      case .running: .rolling(stage)
      case .succeeded: .succeeded(stage)
      case .failed: .failed(reason: error)
      case .paused: nil
      case .aborting:
        .rolling(
          Stage(
            phase: phase, machines: machines,
            reversal: Reversal(requester: "uid:0", requestedAt: start, from: phase)))
      case .aborted: .aborted(by: "", nil)
      }
    let binding = AuthorityBinding(cluster: "demo", component: .talosCA)
    let authority = SealedAuthority(
      certificatePEM: "", fingerprint: "", sealedKey: [], binding: binding)
    return RotationSnapshot(
      cluster: ClusterRecord(
        name: "demo", endpoints: [], kubernetesEndpoint: "", authorities: [:], machines: [],
        talosVersion: ""),
      rotation: position.map {
        RotationRecord(
          id: id, cluster: "demo", ordinal: 1, component: .talosCA, old: authority, new: authority,
          state: $0, notes: notes, reason: "", requester: "", startedAt: start, updatedAt: start)
      })
  }

  private func machine(
    _ name: String, _ state: MachineSnapshot.State, error: String = ""
  ) -> MachineProgress {
    let effort = Effort(lastError: error)
    let position: MachineState =
      switch state {
      case .pending: .pending
      case .applying: .applying(effort)
      case .verifying: .verifying(effort)
      case .waiting: .waiting(effort)
      case .done: .verified(effort)
      }
    return MachineProgress(
      machine: Machine(id: name, address: "", role: .worker), state: position)
  }

  @Test("A rotation that starts, goes on, and ends is told step by step and once")
  func life() {
    let steps = [
      snapshot(.idle),
      snapshot(.running, machines: [machine("a", .pending)]),
      snapshot(.running, machines: [machine("a", .applying)]),
      snapshot(.running, machines: [machine("a", .verifying)]),
      snapshot(.running, machines: [machine("a", .done)]),
      snapshot(.running, phase: .rotate, machines: [machine("a", .applying)]),
      snapshot(.running, phase: .rotate, machines: [machine("a", .done)]),
      snapshot(
        .succeeded, phase: .rotate, machines: [machine("a", .done)], notes: ["n"]),
    ]
    var told: [RotationEvent] = []
    for (earlier, later) in zip(steps, steps.dropFirst()) {
      told += RotationEvent.between(earlier, later)
    }
    #expect(
      told == [
        .started, .phaseBegan("PRE_ROTATE"), .machineInWork("a", phase: "PRE_ROTATE"),
        .machineDone("a", phase: "PRE_ROTATE"), .phaseBegan("ROTATE"),
        .machineInWork("a", phase: "ROTATE"), .machineDone("a", phase: "ROTATE"), .noted("n"),
        .succeeded,
      ])
  }

  @Test("A machine that is waited for is told with its error, and again when the error changes")
  func waiting() {
    let first = snapshot(.running, machines: [machine("a", .waiting, error: "down")])
    let second = snapshot(.running, machines: [machine("a", .waiting, error: "refused")])
    let expected = RotationEvent.machineWaitedFor("a", phase: "PRE_ROTATE", error: "refused")
    #expect(RotationEvent.between(first, second) == [expected])
    #expect(RotationEvent.between(second, second) == [])
  }

  @Test("Where it is known which machines have changed, no other is looked at")
  func changed() {
    let first = snapshot(.running, machines: [machine("a", .applying), machine("b", .applying)])
    let second = snapshot(.running, machines: [machine("a", .done), machine("b", .done)])
    #expect(
      RotationEvent.between(first, second, changed: ["b"]) == [
        .machineDone("b", phase: "PRE_ROTATE")
      ])
  }

  @Test("After a restart a rotation under way is resumed, and what is over is old news")
  func restart() {
    let running = snapshot(
      .running, machines: [machine("a", .done), machine("b", .waiting, error: "down")],
      notes: ["n"])
    #expect(
      RotationEvent.between(nil, running) == [
        .resumed, .machineWaitedFor("b", phase: "PRE_ROTATE", error: "down"),
      ])
    #expect(RotationEvent.between(nil, snapshot(.succeeded)) == [])
    #expect(RotationEvent.between(nil, snapshot(.idle)) == [])
  }

  @Test("A second rotation is a new one; what cannot begin is waited for; failing is told")
  func another() {
    let first = snapshot(.succeeded)
    let second = snapshot(.running, id: "r2", error: "no control plane answers")
    #expect(
      RotationEvent.between(first, second) == [
        .started, .phaseBegan("PRE_ROTATE"), .clusterWaitedFor("no control plane answers"),
      ])
    #expect(
      RotationEvent.between(second, snapshot(.failed, id: "r2", error: "too old"))
        == [.failed("too old")])
  }
}
