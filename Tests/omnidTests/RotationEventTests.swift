import Rotation
import Testing

@testable import Orchestrator
@testable import omnid

@Suite("Events of a rotation")
struct RotationEventTests {
  private func snapshot(
    _ state: RotationState, id: String = "r1", phase: RotationPhase? = .preRotate,
    machines: [MachineSnapshot] = [], error: String = "", notes: [String] = []
  ) -> RotationSnapshot {
    RotationSnapshot(
      cluster: "demo", rotationID: state == .idle ? "" : id, component: .talosCA, state: state,
      phase: state == .idle ? nil : phase, status: "", step: "", error: error, revision: 1,
      machinesDone: 0, machinesTotal: machines.count, machines: machines, clusterChecks: [],
      notes: notes, startedAt: nil, updatedAt: nil, finishedAt: nil, oldFingerprint: "",
      newFingerprint: "", reason: "", requester: "", elapsed: .zero, nextSteps: [])
  }

  private func machine(
    _ name: String, _ state: MachineSnapshot.State, phase: RotationPhase = .preRotate,
    error: String = ""
  ) -> MachineSnapshot {
    MachineSnapshot(
      machine: name, address: "", role: .worker, phase: phase, state: state, checks: [],
      attempts: 0, repetitions: 0, lastError: error, waitingSince: nil, nextAttemptAt: nil,
      stateSince: nil)
  }

  @Test("A rotation that starts, goes on, and ends is told step by step and once")
  func life() {
    let steps = [
      snapshot(.idle),
      snapshot(.running, machines: [machine("a", .pending)]),
      snapshot(.running, machines: [machine("a", .applying)]),
      snapshot(.running, machines: [machine("a", .verifying)]),
      snapshot(.running, machines: [machine("a", .done)]),
      snapshot(.running, phase: .rotate, machines: [machine("a", .applying, phase: .rotate)]),
      snapshot(.running, phase: .rotate, machines: [machine("a", .done, phase: .rotate)]),
      snapshot(
        .succeeded, phase: .rotate, machines: [machine("a", .done, phase: .rotate)], notes: ["n"]),
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
