import Rotation
import StoreConformance
import Testing

@testable import Orchestrator

@Suite("Why a machine is waited for")
struct WaitingTextTests {
  static let absence =
    "dropped once Kubernetes has no node worker-9 either (kubectl delete node worker-9 if it is gone)"
  static let refused = "worker-9 does not answer: Connection refused"

  static func progress(
    missing: Instant? = nil, touched: Bool = true, error: String = refused
  ) -> MachineProgress {
    MachineProgress(
      machine: Machine(id: "worker-9", address: "10.0.0.9", role: .worker),
      state: .waiting(Effort(lastError: error)), missingSince: missing,
      absence: missing == nil ? "" : absence, touched: touched)
  }

  @Test("What it showed stands as it is")
  func plain() {
    for phase in RotationPhase.allCases {
      #expect(Waiting.text(Self.progress(), phase: phase) == Self.refused)
      #expect(Waiting.text(Self.progress(error: ""), phase: phase).isEmpty)
    }
  }

  @Test("Of a machine that discovery does not name is said what it is dropped on")
  func missing() {
    let text = Waiting.text(
      Self.progress(missing: Instant(secondsSince1970: 0)), phase: .rotate)
    #expect(
      text.hasPrefix(Self.refused + "; worker-9 is missing from cluster discovery since 1970"))
    #expect(text.contains("kubectl delete node worker-9 if it is gone"))
  }

  @Test("Of a machine that joined when the old CA was gone is said that it may never answer")
  func late() {
    let late = Self.progress(touched: false)
    #expect(Waiting.text(late, phase: .preRotate) == Self.refused)
    #expect(Waiting.text(late, phase: .rotate) == Self.refused)
    let text = Waiting.text(late, phase: .postRotate)
    #expect(text.hasPrefix(Self.refused + "; worker-9 joined after the old CA was dropped"))
    #expect(text.contains("reset it with a current configuration"))
  }

  @Test("So it is at a gate, in the line of the step, in the error and in the check")
  func missingAtTheGate() {
    let since = Instant(secondsSince1970: 0)
    let text = "worker-9: \(Self.refused)"
    let checks = [
      CheckRecord(result: CheckResult(.reachable, .failed, text), since: since),
      CheckRecord(result: CheckResult(.nodeReady, .waiting, text), since: since),
    ]
    func snapshot(_ missing: Instant?) -> RotationSnapshot {
      let progress = MachineProgress(
        machine: Machine(id: "worker-9", address: "10.0.0.9", role: .worker),
        state: .verified(Effort()), missingSince: missing,
        absence: missing == nil ? "" : Self.absence, touched: true)
      let gate = Gate(effort: Effort(checks: checks, lastError: text, waitingSince: since))
      return RotationSnapshot(
        rotation: Sample.rotation(
          "r1", state: .gating(Stage(phase: .rotate, machines: [progress]), gate)))
    }
    let missing = snapshot(since)
    for line in [missing.step, missing.error, missing.clusterChecks[0].result.detail] {
      #expect(line.contains(text + "; worker-9 is missing from cluster discovery since 1970"))
      #expect(line.hasSuffix("(kubectl delete node worker-9 if it is gone)"))
    }
    #expect(missing.clusterChecks[1].result.detail == text)
    let known = snapshot(nil)
    #expect(known.step.hasSuffix(": " + text) && known.error == text)
    #expect(known.clusterChecks[0].result.detail == text)
  }

  @Test("That no control plane answers at all is said beside the one that is waited for")
  func allDown() {
    let stage = Stage(
      phase: .preRotate, machines: [Self.progress()],
      listing: Effort(lastError: "none of the 3 control planes answers"))
    var rotation = Sample.rotation("r1", state: .rolling(stage))
    let step = RotationSnapshot(rotation: rotation).step
    #expect(step.contains("waiting for machine worker-9"))
    #expect(step.hasSuffix("; none of the 3 control planes answers"))
    rotation.state = .rolling(Stage(phase: .preRotate, machines: [Self.progress()]))
    #expect(RotationSnapshot(rotation: rotation).step.hasSuffix(Self.refused))
  }
}
