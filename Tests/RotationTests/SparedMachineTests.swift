import Rotation
import Testing

@Suite("Machines that an abort in PRE_ROTATE does not wait for")
struct SparedMachineTests {
  private let now = RotationMachineTests.start
  private let silent = [CheckResult(.reachable, .failed, "w1 does not answer")]

  /// A rotation that goes back from its first machine, at its last gate. Nothing was sent to `w1`.
  private func atTheGate() throws -> RotationMachine {
    let walk = RotationMachineTests()
    var (machine, _) = walk.begun([RotationMachineTests.cp1, RotationMachineTests.w1])
    _ = machine.changeApplied(to: "cp1", at: now)
    guard case .reversed = machine.abortRequested(by: "uid:0", at: now) else {
      Issue.record("\(machine.state)")
      return machine
    }
    let effects = walk.finish(&machine, "cp1")
    #expect(effects.contains(.verifyCluster(after: .zero)), "\(effects)")
    return machine
  }

  private func report(_ uncovered: [Finding]) -> ClusterReport {
    var report = ClusterReport(
      machines: ["cp1": RotationMachineTests.passed, "w1": silent],
      cluster: [CheckResult.coverage(uncovered)].compactMap(\.self))
    report.uncovered = uncovered
    return report
  }

  private let ofSpared = Finding(.unreachable, "w1", "w1 does not answer")

  @Test("What keeps a machine that is gone from being covered is spared with it")
  func spared() throws {
    var machine = try atTheGate()
    #expect(machine.clusterChecked(report([ofSpared]), at: now) == [.listMembers(after: .zero)])
  }

  @Test(
    "Another machine that would keep the new CA is waited for, and told of instead",
    arguments: ["m9", ""])
  func others(subject: String) throws {
    var machine = try atTheGate()
    let other = Finding(.notCovered, subject, "cp1 knows m9, which was not rotated")
    let effects = machine.clusterChecked(report([ofSpared, other]), at: now)
    guard case .verifyCluster = effects.first, case .gating(_, let gate) = machine.state else {
      Issue.record("\(effects)")
      return
    }
    #expect(gate.effort.lastError == other.message)
  }
}
