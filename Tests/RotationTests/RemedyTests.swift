import Rotation
import Testing

/// What does not come by itself is ordered as an effect, after the state that says so.
@Suite("Remedies")
struct RemedyTests {
  let now = RotationMachineTests.start
  let stale = [
    CheckResult(.reachable, .passed),
    CheckResult(.trustRefresh, .waiting, "its apid still has the trust of the stage before"),
  ]

  /// A machine whose one worker is being verified.
  func verifying() -> RotationMachine {
    let machines = RotationMachineTests()
    var (machine, _) = machines.begun([RotationMachineTests.cp1, RotationMachineTests.w1])
    _ = machines.finish(&machine, "cp1")
    _ = machine.changeApplied(to: "w1", at: now)
    return machine
  }

  func state(_ machine: RotationMachine) -> MachineState? {
    machine.state.stage?.machines.first { $0.machine.id == "w1" }?.state
  }

  @Test("A worker with the trust of the stage before has its time, then it is made to ask")
  func refresh() throws {
    var machine = verifying()
    #expect(
      machine.machineChecked("w1", stale, at: now.advanced(by: .seconds(19)))
        == [.verify("w1", after: .seconds(1))])
    let later = now.advanced(by: .seconds(20))
    #expect(machine.machineChecked("w1", stale, at: later) == [.refreshTrust("w1")])
    guard case .refreshing = try #require(state(machine)) else {
      Issue.record("it is not on record that the worker is made to ask")
      return
    }
    #expect(
      machine.resumed(at: later) == [.listMembers(after: .zero), .refreshTrust("w1")])
    #expect(machine.machineChecked("w1", stale, at: later) == [], "a late look changes nothing")
    #expect(machine.trustRefreshed("w1", at: later) == [.verify("w1", after: .zero)])
    // Once more it has its time.
    let effects = machine.machineChecked("w1", stale, at: later.advanced(by: .seconds(19)))
    // Meanwhile the control plane, from which it gets its trust, is looked at.
    #expect(effects == [.verify("w1", after: .seconds(5)), .verify("cp1", after: .zero)])
    #expect(
      machine.machineChecked("w1", stale, at: later.advanced(by: .seconds(20)))
        == [.refreshTrust("w1")])
  }

  @Test("What is left of a refresh is put right at once")
  func repetition() {
    var machine = verifying()
    let repeated = [
      CheckResult(.reachable, .passed), CheckResult(.trustRefresh, .failed, "listed twice"),
    ]
    #expect(machine.machineChecked("w1", repeated, at: now) == [.refreshTrust("w1")])
    #expect(machine.trustRefreshed("w1", at: now) == [.verify("w1", after: .zero)])
    #expect(
      machine.machineChecked("w1", RotationMachineTests.passed, at: now)
        == [.verifyCluster(after: .zero)])
  }

  @Test("A wall clock that is set back puts no refresh off for ever")
  func clock() {
    var machine = verifying()
    let past = now.advanced(by: .seconds(-86_400))
    #expect(machine.machineChecked("w1", stale, at: past) == [.verify("w1", after: .seconds(1))])
    #expect(
      machine.machineChecked("w1", stale, at: past.advanced(by: .seconds(20)))
        == [.refreshTrust("w1")])
  }

  @Test("A refresh that fails is shown, and the worker is looked at again")
  func failure() {
    var machine = verifying()
    let later = now.advanced(by: .seconds(30))
    #expect(machine.machineChecked("w1", stale, at: later) == [.refreshTrust("w1")])
    let check = CheckResult(.trustRefresh, .waiting, "no route")
    let effects = machine.refreshFailed(on: "w1", "no route", check: check, at: later)
    #expect(effects == [.verify("w1", after: .seconds(5))])
    #expect(state(machine)?.effort?.lastError == "no route")
  }

  @Test("What aggregated API servers are told is written anew when it alone is open, and paced")
  func renewal() throws {
    let machines = RotationMachineTests()
    var (machine, _) = machines.begun([RotationMachineTests.cp1])
    _ = machines.finish(&machine, "cp1")
    let renewal = CheckResult(.extensionAuthentication, .waiting, "holds another CA")
    let open = ClusterReport(cluster: [CheckResult(.kubeRootCA, .waiting, "not yet"), renewal])
    #expect(machine.clusterChecked(open, at: now) == [.verifyCluster(after: .seconds(1))])
    let last = ClusterReport(cluster: [CheckResult(.kubeRootCA, .passed), renewal])
    #expect(machine.clusterChecked(last, at: now) == [.renewExtensionAuthentication])
    guard case .gating(_, let gate) = machine.state, gate.step == .renewal else {
      Issue.record("it is not on record that the ConfigMap is renewed")
      return
    }
    #expect(machine.resumed(at: now).first == .renewExtensionAuthentication)
    #expect(machine.clusterChecked(last, at: now) == [], "a late look changes nothing")
    // How long all else took puts the look after it off no further; only that it was in vain does.
    #expect(machine.clusterRenewed(nil, at: now) == [.verifyCluster(after: .seconds(1))])
    #expect(machine.clusterChecked(last, at: now) == [.renewExtensionAuthentication])
    #expect(machine.clusterRenewed("HTTP 500", at: now) == [.verifyCluster(after: .seconds(5))])
    #expect(
      machine.clusterChecked(RotationMachineTests.clusterPassed, at: now)
        == [.listMembers(after: .zero)])
  }

  @Test(
    "A change that is only being tried is made permanent when it alone is left, and looked at once more"
  )
  func persists() throws {
    var machine = verifying()
    let tried = CheckResult(.configPersisted, .waiting, "is being tried")
    let settling = CheckResult(.accepted, .waiting, "not yet")
    // Not as long as anything else is open.
    #expect(
      machine.machineChecked("w1", [tried, settling], at: now) == [
        .verify("w1", after: .seconds(1))
      ])
    #expect(machine.machineChecked("w1", [tried], at: now) == [.persist("w1")])
    guard case .persisting = try #require(state(machine)) else {
      Issue.record("it is not on record that the change is made permanent")
      return
    }
    #expect(machine.resumed(at: now) == [.listMembers(after: .zero), .persist("w1")])
    #expect(machine.isChangeInFlight)
    #expect(machine.changePersisted("w1", at: now) == [.verify("w1", after: .zero)])
    #expect(machine.changePersisted("w1", at: now) == [])
  }

  @Test(
    "A change that could not be made permanent is looked at again; one that is gone is made again")
  func trialOver() throws {
    var machine = verifying()
    let tried = CheckResult(.configPersisted, .waiting, "is being tried")
    _ = machine.machineChecked("w1", [tried], at: now)
    let check = CheckResult(.driver, .failed, "the trial was over")
    let effects = machine.persistFailed(on: "w1", "the trial was over", check: check, at: now)
    guard case .verify("w1", _)? = effects.first else {
      Issue.record("it is not looked at again: \(effects)")
      return
    }
    let gone = CheckResult(.configApplied, .failed, "holds the old CA alone")
    let again = machine.machineChecked("w1", [gone], at: now)
    guard case .attempt("w1", _)? = again.first else {
      Issue.record("it is not made again: \(again)")
      return
    }
  }
}
