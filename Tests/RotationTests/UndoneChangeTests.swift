import Rotation
import Testing

@Suite("Changes that somebody else undoes")
struct UndoneChangeTests {
  typealias Effect = RotationMachine.Effect

  let now = RotationMachineTests.start
  let lost = [
    CheckResult(.reachable, .passed),
    CheckResult(.configApplied, .failed, "it still lists the dropped CA 4cd1"),
  ]

  /// A rotation in which these machines are verified, up to the gate of PRE-ROTATE.
  private func atTheGate(
    _ members: [Machine], _ component: SecretComponent = .talosCA
  ) throws -> RotationMachine {
    var machine = RotationMachine(component: component, rules: RotationMachineTests.rules)
    var effects = machine.membersListed(members, at: now)
    var steps = 0
    while !effects.contains(.verifyCluster(after: .zero)) {
      steps += 1
      try #require(steps < 100)
      guard let effect = effects.first(where: { $0.key != .members }) else { break }
      effects.removeAll { $0 == effect }
      switch effect {
      case .prepare(let id): effects += machine.machinePrepared(id, Baseline(), at: now)
      case .apply(let id): effects += machine.changeApplied(to: id, at: now)
      case .verify(let id, _):
        effects += machine.machineChecked(id, RotationMachineTests.passed, at: now)
      default: Issue.record("\(effect)")
      }
    }
    return machine
  }

  private func state(_ machine: RotationMachine, _ id: String) -> MachineState? {
    machine.state.stage?.machines.first { $0.machine.id == id }?.state
  }

  @Test("A worker whose change is gone at the gate is changed again, with a note")
  func workerAtTheGate() throws {
    var machine = try atTheGate([RotationMachineTests.cp1, RotationMachineTests.w1])
    let report = ClusterReport(
      machines: ["cp1": RotationMachineTests.passed, "w1": lost], cluster: [])
    #expect(
      machine.clusterChecked(report, at: now)
        == [.attempt("w1", after: .seconds(1)), .listMembers(after: .seconds(30))])
    guard case .waiting(let effort)? = state(machine, "w1") else {
      Issue.record("\(machine.state)")
      return
    }
    #expect(effort.repetitions == 1)
    #expect(
      effort.lastError
        == "its configuration was changed by somebody else after it was done (seen at \(now) in PRE_ROTATE); it "
        + "still lists the dropped CA 4cd1; applied again, 2nd time")
    #expect(machine.notes == ["w1: " + effort.lastError])
    #expect(machine.attemptDue("w1", at: now) == [.apply("w1")])
    #expect(machine.changeApplied(to: "w1", at: now).count == 1)
    #expect(
      machine.machineChecked("w1", RotationMachineTests.passed, at: now)
        == [.verifyCluster(after: .zero)])
  }

  @Test("Control planes that were all reset take their turns one at a time, before the workers")
  func allReset() throws {
    let (cp1, cp2) = (RotationMachineTests.cp1, RotationMachineTests.cp2)
    var machine = try atTheGate([cp1, cp2, RotationMachineTests.w1])
    let report = ClusterReport(machines: ["cp1": lost, "cp2": lost, "w1": lost], cluster: [])
    let effects = machine.clusterChecked(report, at: now)
    #expect(effects.first == .attempt("cp1", after: .seconds(1)))
    #expect(effects.count == 2)
    #expect(machine.attemptDue("cp1", at: now) == [.apply("cp1")])
    _ = machine.changeApplied(to: "cp1", at: now)
    #expect(
      machine.machineChecked("cp1", RotationMachineTests.passed, at: now)
        == [.attempt("cp2", after: .seconds(1))])
    #expect(machine.attemptDue("cp2", at: now) == [.apply("cp2")])
    _ = machine.changeApplied(to: "cp2", at: now)
    // cp1 once more, and only then the worker.
    #expect(
      machine.machineChecked("cp2", RotationMachineTests.passed, at: now)
        == [.verify("cp1", after: .zero)])
    #expect(
      machine.machineChecked("cp1", RotationMachineTests.passed, at: now)
        == [.attempt("w1", after: .seconds(1))])
  }

  @Test("A control plane that is seen to be undone before the workers begin goes first")
  func undoneBeforeTheWorkers() {
    let (cp1, cp2, w1) = (
      RotationMachineTests.cp1, RotationMachineTests.cp2, RotationMachineTests.w1
    )
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    _ = machine.membersListed([cp1, cp2, w1], at: now)
    for id in ["cp1", "cp2"] {
      _ = machine.changeApplied(to: id, at: now)
      _ = machine.machineChecked(id, RotationMachineTests.passed, at: now)
    }
    #expect(machine.machineChecked("cp1", lost, at: now) == [.attempt("cp1", after: .seconds(1))])
    #expect(state(machine, "w1") == .pending)
    #expect(machine.state.stage?.done == 1)
  }

  private let handedThePast = [
    CheckResult(.reachable, .passed),
    CheckResult(.accepted, .waiting, "does not accept the new CA yet"),
  ]

  /// A stage in which the control planes are verified and the worker is in work.
  private func workersBegun() -> RotationMachine {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    _ = machine.membersListed(
      [RotationMachineTests.cp1, RotationMachineTests.cp2, RotationMachineTests.w1], at: now)
    for id in ["cp1", "cp2"] {
      _ = machine.changeApplied(to: id, at: now)
      _ = machine.machineChecked(id, RotationMachineTests.passed, at: now)
    }
    _ = machine.machineChecked("cp1", RotationMachineTests.passed, at: now)
    _ = machine.changeApplied(to: "w1", at: now)
    return machine
  }

  @Test(
    "While a worker is waited for, the control planes are looked at again, and one that is undone takes its turn"
  )
  func undoneAmongTheWorkers() {
    var machine = workersBegun()
    var looks: [Int] = []
    for second in 0...130 {
      let later = now.advanced(by: .seconds(second))
      for effect in machine.machineChecked("w1", handedThePast, at: later) {
        guard case .verify(let id, _) = effect, id != "w1" else { continue }
        looks.append(second)
        #expect(machine.machineChecked(id, RotationMachineTests.passed, at: later) == [])
      }
    }
    #expect(
      looks == [30, 30, 60, 60, 90, 90, 120, 120], "both control planes, every half a minute")
    #expect(machine.state.stage?.done == 2)

    let later = now.advanced(by: .seconds(180))
    let effects = machine.machineChecked("w1", handedThePast, at: later)
    #expect(
      Set(effects.map(\.key)).isSuperset(of: [Effect.verify("cp1", after: .zero).key]),
      "\(effects)")
    _ = machine.machineChecked("cp2", RotationMachineTests.passed, at: later)
    #expect(machine.machineChecked("cp1", lost, at: later) == [.attempt("cp1", after: .seconds(1))])
    #expect(machine.attemptDue("cp1", at: later) == [.apply("cp1")])
    _ = machine.changeApplied(to: "cp1", at: later)
    // The other one once more; the worker that was in work goes on with its own looks.
    #expect(
      machine.machineChecked("cp1", RotationMachineTests.passed, at: later)
        == [.verify("cp2", after: .zero)])
    #expect(machine.machineChecked("cp2", RotationMachineTests.passed, at: later) == [])
    #expect(
      machine.machineChecked("w1", RotationMachineTests.passed, at: later)
        == [.verifyCluster(after: .zero)])
  }

  @Test(
    "A worker that has just begun to wait, or a look at the control planes just now, brings no other look"
  )
  func notYetStuck() {
    var machine = workersBegun()
    let early = machine.machineChecked("w1", handedThePast, at: now.advanced(by: .seconds(59)))
    #expect(early.map(\.key) == [Effect.verify("w1", after: .zero).key])
    var fresh = workersBegun()
    let late = fresh.machineChecked("w1", handedThePast, at: now.advanced(by: .seconds(300)))
    #expect(late.map(\.key) == [Effect.verify("w1", after: .zero).key], "it waits since now")
  }

  @Test("The one control plane is looked at again before the workers once a lock is taken off")
  func alone() {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    _ = machine.membersListed([RotationMachineTests.cp1, RotationMachineTests.w1], at: now)
    _ = machine.changeApplied(to: "cp1", at: now)
    let lock = Lock(requester: "uid:0", lockedAt: now, reason: "")
    _ = machine.locksChanged(Locks(cluster: lock), at: now)
    #expect(machine.machineChecked("cp1", RotationMachineTests.passed, at: now) == [])
    let later = now.advanced(by: .seconds(7200))
    #expect(machine.locksChanged(Locks(), at: later) == [.verify("cp1", after: .zero)])
    #expect(machine.machineChecked("cp1", RotationMachineTests.passed, at: later) == [.apply("w1")])
  }

  @Test("A look before the workers that finds nothing wrong but no answer either is repeated")
  func confirmationWaits() {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    _ = machine.membersListed(
      [RotationMachineTests.cp1, RotationMachineTests.cp2, RotationMachineTests.w1], at: now)
    for id in ["cp1", "cp2"] {
      _ = machine.changeApplied(to: id, at: now)
      _ = machine.machineChecked(id, RotationMachineTests.passed, at: now)
    }
    let down = [CheckResult(.reachable, .failed, "no route")]
    #expect(machine.machineChecked("cp1", down, at: now) == [.verify("cp1", after: .seconds(1))])
    // A process that is started again looks again, and changes nothing.
    let again = RotationMachine(
      component: .talosCA, state: machine.state, notes: machine.notes,
      rules: RotationMachineTests.rules)
    #expect(
      again.resumed(at: now) == [.listMembers(after: .zero), .verify("cp1", after: .zero)])
    #expect(
      machine.machineChecked("cp1", RotationMachineTests.passed, at: now) == [.apply("w1")])
  }

  @Test("Whoever undoes a change again and again is answered ever more slowly, and counted")
  func backoff() throws {
    var machine = try atTheGate([RotationMachineTests.cp1])
    var delays: [Duration] = []
    for _ in 0..<3 {
      let effects = machine.clusterChecked(
        ClusterReport(machines: ["cp1": lost], cluster: []), at: now)
      guard case .attempt("cp1", let delay)? = effects.first else {
        Issue.record("\(effects)")
        return
      }
      delays.append(delay)
      _ = machine.attemptDue("cp1", at: now)
      _ = machine.changeApplied(to: "cp1", at: now)
      _ = machine.machineChecked("cp1", RotationMachineTests.passed, at: now)
    }
    #expect(delays == [.seconds(1), .seconds(5), .seconds(5)])
    #expect(state(machine, "cp1")?.effort?.repetitions == 3)
    #expect(machine.notes.last?.hasSuffix("applied again, 4th time") == true)
  }

  @Test("Since when a machine is waited for does not begin anew with every try")
  func waitingSince() {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    _ = machine.membersListed([RotationMachineTests.cp1], at: now)
    let check = CheckResult(.reachable, .failed, "no route")
    _ = machine.changeFailed(on: "cp1", "no route", sent: false, check: check, at: now)
    let later = now.advanced(by: .seconds(20))
    _ = machine.attemptDue("cp1", at: later)
    _ = machine.changeApplied(to: "cp1", at: later)
    _ = machine.machineChecked(
      "cp1", [CheckResult(.accepted, .waiting, "not yet")], at: later)
    #expect(state(machine, "cp1")?.effort?.waitingSince == now)
    #expect(state(machine, "cp1")?.effort?.lastError == "not yet")
  }
}

@Suite("Preparing and cancelling")
struct PreparationTests {
  let now = RotationMachineTests.start

  @Test(
    "What a control plane shows before a change of the Kubernetes CA is recorded before the change")
  func preparation() {
    var machine = RotationMachine(component: .kubernetesCA, rules: RotationMachineTests.rules)
    let begun = machine.membersListed(
      [RotationMachineTests.cp1, RotationMachineTests.w1], at: now)
    #expect(begun.first == .prepare("cp1"))
    #expect(machine.resumed(at: now).last == .prepare("cp1"))
    let baseline = Baseline(["kube-apiserver": "containerd://1#0"])
    #expect(machine.machinePrepared("cp1", baseline, at: now) == [.apply("cp1")])
    #expect(machine.state.stage?.machines.first?.baseline == baseline)
    // A try whose outcome is in doubt is repeated with what was seen before the first.
    let check = CheckResult(.reachable, .failed, "cut off")
    _ = machine.changeFailed(on: "cp1", "cut off", sent: true, check: check, at: now)
    #expect(machine.attemptDue("cp1", at: now) == [.apply("cp1")])
    #expect(machine.state.stage?.machines.first?.baseline == baseline)
    _ = machine.changeApplied(to: "cp1", at: now)
    // Once somebody else has changed it, what was seen before is worth nothing.
    let lost = [CheckResult(.configApplied, .failed, "gone")]
    _ = machine.machineChecked("cp1", lost, at: now)
    #expect(machine.attemptDue("cp1", at: now) == [.prepare("cp1")])
  }

  @Test("Workers, and every machine in a rotation of the Talos CA, are changed at once")
  func noPreparation() {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    let begun = machine.membersListed([RotationMachineTests.cp1], at: now)
    #expect(begun.first == .apply("cp1"))
  }

  @Test("A preparation that fails is one more thing to wait for, and touches nothing")
  func failedPreparation() {
    var machine = RotationMachine(component: .kubernetesCA, rules: RotationMachineTests.rules)
    _ = machine.membersListed([RotationMachineTests.cp1], at: now)
    let check = CheckResult(.reachable, .failed, "no route")
    #expect(
      machine.preparationFailed(on: "cp1", "no route", check: check, at: now)
        == [.attempt("cp1", after: .seconds(1))])
    #expect(machine.abortRequested(by: "uid:0", at: now) == .aborted)
    #expect(machine.state == .aborted(by: "uid:0", nil))
    #expect(machine.resumed(at: now) == [])
    #expect(machine.membersListed([RotationMachineTests.cp1], at: now) == [])
    #expect(machine.abortRequested(by: "uid:0", at: now) == .over)
  }

  @Test("A rotation that has touched no machine is over at once, and a doubt counts as a touch")
  func abort() {
    var fresh = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    #expect(fresh.abortRequested(by: "uid:0", at: now) == .aborted)

    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    _ = machine.membersListed([RotationMachineTests.cp1, RotationMachineTests.cp2], at: now)
    #expect(machine.isChangeInFlight, "it may be on its way")
    let check = CheckResult(.reachable, .failed, "no route")
    var doubtful = machine
    _ = doubtful.changeFailed(on: "cp1", "cut off", sent: true, check: check, at: now)
    #expect(!doubtful.isChangeInFlight)
    // A later try that was certainly not sent does not make the earlier one undone.
    _ = doubtful.attemptDue("cp1", at: now)
    _ = doubtful.changeFailed(on: "cp1", "no route", sent: false, check: check, at: now)
    guard case .reversed(let effects) = doubtful.abortRequested(by: "uid:0", at: now) else {
      Issue.record("not reversed")
      return
    }
    #expect(effects.first == .apply("cp1"))
    #expect(
      doubtful.state.stage?.reversal
        == Reversal(requester: "uid:0", requestedAt: now, from: .preRotate))
    #expect(doubtful.abortRequested(by: "uid:1", at: now) == .reversed([]), "it goes back already")

    _ = machine.changeFailed(on: "cp1", "no route", sent: false, check: check, at: now)
    #expect(machine.abortRequested(by: "uid:0", at: now) == .aborted)
  }

  @Test("A change that was on its way when the process ended may have reached its machine")
  func deathAmidChange() {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    _ = machine.membersListed([RotationMachineTests.cp1], at: now)
    machine = RotationMachine(
      component: .talosCA, state: machine.state, notes: [], rules: RotationMachineTests.rules)
    #expect(machine.resumed(at: now).contains(.apply("cp1")))
    // The try of this process was certainly not sent; what became of the one before nobody knows.
    let check = CheckResult(.reachable, .failed, "no route")
    _ = machine.changeFailed(on: "cp1", "no route", sent: false, check: check, at: now)
    guard case .reversed = machine.abortRequested(by: "uid:0", at: now) else {
      Issue.record("not reversed")
      return
    }
  }

  @Test("While somebody waits to abort, no change is sent; with the abort the hold ends")
  func held() {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    _ = machine.membersListed([RotationMachineTests.cp1, RotationMachineTests.cp2], at: now)
    machine.hold()
    let check = CheckResult(.reachable, .failed, "no route")
    _ = machine.changeFailed(on: "cp1", "no route", sent: false, check: check, at: now)
    #expect(machine.attemptDue("cp1", at: now) == [.attempt("cp1", after: .milliseconds(100))])
    var doubtful = machine
    #expect(machine.abortRequested(by: "uid:0", at: now) == .aborted)
    // The same, where a configuration may have gone out before.
    doubtful.hold()
    guard case .rolling(var stage) = doubtful.state else { return }
    stage.machines[0].touched = true
    doubtful = RotationMachine(
      component: .talosCA, state: .rolling(stage), notes: [], rules: RotationMachineTests.rules)
    doubtful.hold()
    guard case .reversed(let effects) = doubtful.abortRequested(by: "uid:0", at: now) else {
      Issue.record("not reversed")
      return
    }
    #expect(!doubtful.isHeld && effects.first == .apply("cp1"))
  }

  @Test("From the first machine of POST_ROTATE on there is no way back")
  func tooLate() {
    func machine(_ states: [MachineState]) -> RotationMachine {
      let machines = zip([RotationMachineTests.cp1, RotationMachineTests.cp2], states).map {
        MachineProgress(machine: $0, state: $1, touched: true, isUnsent: $1.effort == nil)
      }
      return RotationMachine(
        component: .talosCA, state: .rolling(Stage(phase: .postRotate, machines: machines)),
        notes: [], rules: RotationMachineTests.rules)
    }
    var begun = machine([.verifying(Effort()), .pending])
    #expect(begun.abortRequested(by: "", at: now) == .retired(["cp1"]))
    #expect(begun.state.stage?.reversal == nil)
    var waiting = machine([.pending, .pending])
    guard case .reversed = waiting.abortRequested(by: "", at: now) else {
      Issue.record("nothing of POST_ROTATE has begun")
      return
    }
    #expect(waiting.state.stage?.phase == .rotate)
    #expect(waiting.state.stage?.reversal?.from == .postRotate)
    // Taken over in POST_ROTATE from somebody who may have sent anything.
    var adopted = RotationMachine(
      component: .talosCA,
      state: .adopted([RotationMachineTests.cp1, RotationMachineTests.cp2], in: .postRotate),
      notes: [], rules: RotationMachineTests.rules)
    #expect(adopted.abortRequested(by: "", at: now) == .retired(["cp1", "cp2"]))
  }

  @Test(
    "While no configuration of POST_ROTATE has been sent, whatever was tried, there is a way back")
  func nothingSent() {
    let machines = [RotationMachineTests.cp1, RotationMachineTests.cp2].map {
      MachineProgress(machine: $0, touched: true, isUnsent: true)
    }
    var machine = RotationMachine(
      component: .talosCA, state: .rolling(Stage(phase: .postRotate, machines: machines)),
      notes: [], rules: RotationMachineTests.rules)
    _ = machine.membersListed([RotationMachineTests.cp1, RotationMachineTests.cp2], at: now)
    let check = CheckResult(.reachable, .failed, "no route")
    _ = machine.changeFailed(on: "cp1", "no route", sent: false, check: check, at: now)
    var sent = machine
    guard case .reversed = machine.abortRequested(by: "", at: now) else {
      Issue.record("nothing was sent, so nobody refuses the old CA")
      return
    }
    _ = sent.attemptDue("cp1", at: now)
    _ = sent.changeFailed(on: "cp1", "lost", sent: true, check: check, at: now)
    #expect(sent.abortRequested(by: "", at: now) == .retired(["cp1"]))
  }
}
