import Rotation
import Testing

@Suite("How often is looked")
struct LookingTests {
  typealias Effect = RotationMachine.Effect

  /// The seconds between looks that show this, until they have gone on for `limit`; of a machine, or of the gate.
  private func pauses(
    _ check: CheckResult, atGate: Bool, for limit: Duration
  ) throws -> [Duration] {
    var now = RotationMachineTests.start
    var machine = RotationMachine(component: .talosCA, rules: RotationRules())
    _ = machine.membersListed([RotationMachineTests.cp1], at: now)
    _ = machine.changeApplied(to: "cp1", at: now)
    if atGate { _ = machine.machineChecked("cp1", RotationMachineTests.passed, at: now) }
    var pauses: [Duration] = []
    while RotationMachineTests.start.duration(to: now) < limit {
      let effects =
        atGate
        ? machine.clusterChecked(ClusterReport(cluster: [check]), at: now)
        : machine.machineChecked("cp1", [check], at: now)
      let pause = try #require(effects.first).delay
      pauses.append(pause)
      now = now.advanced(by: pause)
    }
    return pauses
  }

  @Test(
    "What is merely not there yet is looked at every half second for two minutes, and then ever more seldom",
    arguments: [false, true])
  func coming(atGate: Bool) throws {
    let check = CheckResult(.kubelet, .waiting, "restarting")
    let soon = try pauses(check, atGate: atGate, for: .seconds(119))
    #expect(soon.first == .milliseconds(100))
    #expect(soon.dropFirst(2).allSatisfy { $0 == .milliseconds(500) } && soon.count > 200)
    let late = try pauses(check, atGate: atGate, for: .seconds(200))
    #expect(late.last == .seconds(10))
  }

  @Test(
    "What is wrong is looked at ever more seldom from the first look on", arguments: [false, true])
  func wrong(atGate: Bool) throws {
    let check = CheckResult(.accepted, .failed, "accepts a foreign CA")
    let pauses = try pauses(check, atGate: atGate, for: .seconds(100))
    #expect(pauses == Backoff.usual.dropLast() + Array(repeating: .seconds(10), count: 8))
  }
}
