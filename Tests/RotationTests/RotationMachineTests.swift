import Rotation
import Testing

@Suite("Rotation machine")
struct RotationMachineTests {
  typealias Effect = RotationMachine.Effect

  static let start = Instant(secondsSince1970: 1_000_000)
  static let cp1 = Machine(id: "cp1", address: "10.0.0.1", role: .controlPlane)
  static let cp2 = Machine(id: "cp2", address: "10.0.0.2", role: .controlPlane)
  static let w1 = Machine(id: "w1", address: "10.0.0.3", role: .worker)
  static let w2 = Machine(id: "w2", address: "10.0.0.4", role: .worker)
  static let passed = [CheckResult(.reachable, .passed)]
  static let clusterPassed = ClusterReport(cluster: passed)
  static let rules = RotationRules(
    rollout: RolloutPolicy(workerLimit: 2), backoff: Backoff(delays: [.seconds(1), .seconds(5)]),
    memberInterval: .seconds(30), departureGrace: .seconds(60))

  let now = RotationMachineTests.start
  var listing: Effect { .listMembers(after: .seconds(30)) }

  /// A machine that has just read its members.
  func begun(_ members: [Machine]) -> (RotationMachine, [Effect]) {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    #expect(machine.resumed(at: now) == [.listMembers(after: .zero)])
    let effects = machine.membersListed(members, at: now)
    return (machine, effects)
  }

  func states(_ machine: RotationMachine) -> [String: MachineState] {
    Dictionary(
      uniqueKeysWithValues: (machine.state.stage?.machines ?? []).map { ($0.machine.id, $0.state) })
  }

  func finish(_ machine: inout RotationMachine, _ id: String) -> [Effect] {
    _ = machine.changeApplied(to: id, at: now)
    return machine.machineChecked(id, RotationMachineTests.passed, at: now)
  }

  @Test(
    "A stage does not end by a look from before a restart, or from before the members could not be read"
  )
  func staleLook() {
    var (machine, _) = begun([Self.cp1])
    _ = finish(&machine, "cp1")
    let passed = ClusterReport(machines: ["cp1": Self.passed], cluster: Self.passed)
    #expect(machine.clusterChecked(passed, at: Self.start) == [.listMembers(after: .zero)])
    let restarted = RotationMachine(
      component: .talosCA, state: machine.state, notes: [], rules: Self.rules)
    #expect(restarted.resumed(at: Self.start).first == .verifyCluster(after: .zero))

    let effects = machine.membersUnavailable("no route", at: Self.start)
    guard case .verifyCluster = effects.first else {
      Issue.record("\(effects)")
      return
    }
    _ = machine.membersListed([Self.cp1], at: Self.start)
    #expect(machine.state.stage?.phase == .preRotate, "the look is yet to be made")
    _ = machine.clusterChecked(passed, at: Self.start)
    _ = machine.membersListed([Self.cp1], at: Self.start)
    #expect(machine.state.stage?.phase == .rotate)
  }

  @Test("Two members of one name are a broken list: neither of them is left out")
  func repeatedName() {
    var (machine, _) = begun([Self.cp1, Self.w1])
    var other = Self.w1
    other.identity = "other"
    let effects = machine.membersListed([Self.cp1, Self.w1, other], at: Self.start)
    #expect(effects.count == 1)
    #expect(machine.state.stage?.listing.lastError.contains("two machines w1") == true)
    #expect(machine.state.stage?.machines.count == 2)
  }

  @Test("Whoever leads goes last, by what was seen when a turn ends, and orders nothing by itself")
  func leaders() {
    let cp3 = Machine(id: "cp3", address: "10.0.0.5", role: .controlPlane)
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    machine.leadersSeen(["cp1"])
    let members = [RotationMachineTests.cp1, RotationMachineTests.cp2, cp3]
    #expect(machine.membersListed(members, at: now) == [.apply("cp2"), listing])
    // The lead has moved: cp2 is in work and stays so.
    machine.leadersSeen(["cp3", "cp2"])
    #expect(machine.membersListed(members, at: now) == [listing])
    #expect(finish(&machine, "cp2") == [.apply("cp1")])
    #expect(finish(&machine, "cp1") == [.apply("cp3")])
  }

  @Test("An abort brings the control plane in work back first, whoever leads")
  func leadersAborting() {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    machine.leadersSeen(["cp2"])
    let members = [RotationMachineTests.cp1, RotationMachineTests.cp2]
    #expect(machine.membersListed(members, at: now) == [.apply("cp1"), listing])
    #expect(finish(&machine, "cp1") == [.apply("cp2")])
    _ = machine.changeApplied(to: "cp2", at: now)
    machine.leadersSeen(["cp2", "cp1"])
    #expect(
      machine.abortRequested(by: "uid:0", at: now) == .reversed([.apply("cp2"), listing]))
    #expect(finish(&machine, "cp2") == [.apply("cp1")])
  }

  @Test("Control planes go first, one at a time, then the workers together")
  func order() {
    var (machine, effects) = begun([
      RotationMachineTests.w2, RotationMachineTests.cp2, RotationMachineTests.w1,
      RotationMachineTests.cp1,
    ])
    #expect(effects == [.apply("cp1"), listing])
    #expect(
      machine.changeApplied(to: "cp1", at: now)
        == [.verify("cp1", after: .zero)])
    #expect(states(machine)["cp1"] == .verifying(Effort(attempts: 1, begunAt: now)))
    #expect(
      machine.machineChecked("cp1", RotationMachineTests.passed, at: now) == [.apply("cp2")])
    // The control planes are looked at once more before the first worker begins.
    #expect(finish(&machine, "cp2") == [.verify("cp1", after: .zero)])
    #expect(
      machine.machineChecked("cp1", RotationMachineTests.passed, at: now)
        == [.apply("w1"), .apply("w2")])
    #expect(finish(&machine, "w2") == [])
    #expect(finish(&machine, "w1") == [.verifyCluster(after: .zero)])
    guard case .gating(let stage, let gate) = machine.state else {
      Issue.record("\(machine.state)")
      return
    }
    #expect(stage.phase == .preRotate && stage.done == 4 && gate.step == .cluster)
  }

  @Test("The next stage begins after the cluster was verified and the members were read once more")
  func gate() {
    var (machine, _) = begun([RotationMachineTests.cp1])
    #expect(finish(&machine, "cp1") == [.verifyCluster(after: .zero)])
    #expect(
      machine.clusterChecked(
        ClusterReport(cluster: [CheckResult(named: "nodes", .waiting)]), at: now)
        == [.verifyCluster(after: .seconds(1))])
    #expect(
      machine.clusterChecked(RotationMachineTests.clusterPassed, at: now) == [
        .listMembers(after: .zero)
      ])
    #expect(
      machine.membersListed([RotationMachineTests.cp1], at: now) == [.apply("cp1"), listing])
    #expect(machine.state.stage?.phase == .rotate)
    #expect(machine.state.stage?.done == 0)
  }

  @Test("A machine that joins while the gate is open is brought through the stage first")
  func joinsAtTheGate() {
    var (machine, _) = begun([RotationMachineTests.cp1])
    _ = finish(&machine, "cp1")
    _ = machine.clusterChecked(RotationMachineTests.clusterPassed, at: now)
    let effects = machine.membersListed(
      [RotationMachineTests.cp1, RotationMachineTests.w1], at: now)
    // The gate may have been open for long: the control plane is looked at once more.
    #expect(effects == [.verify("cp1", after: .zero), listing])
    #expect(
      machine.machineChecked("cp1", RotationMachineTests.passed, at: now) == [.apply("w1")])
    #expect(machine.state.stage?.phase == .preRotate)
    #expect(machine.notes == ["w1 joined the cluster during PRE_ROTATE"])
    #expect(finish(&machine, "w1") == [.verifyCluster(after: .zero)])
  }

  @Test("A whole rotation of one machine runs through all stages and ends")
  func whole() {
    var (machine, _) = begun([RotationMachineTests.cp1])
    for phase in RotationPhase.allCases {
      #expect(machine.state.stage?.phase == phase)
      _ = finish(&machine, "cp1")
      _ = machine.clusterChecked(RotationMachineTests.clusterPassed, at: now)
      _ = machine.membersListed([RotationMachineTests.cp1], at: now)
    }
    guard case .succeeded(let stage) = machine.state else {
      Issue.record("\(machine.state)")
      return
    }
    #expect(stage.phase == .postRotate && stage.isComplete)
    #expect(machine.state.isFinal)
    #expect(machine.resumed(at: now) == [])
    #expect(machine.membersListed([RotationMachineTests.w1], at: now) == [])
  }

  @Test(
    "A change that fails makes the machine wait, with reason and time; the next try is recorded first"
  )
  func changeFails() {
    var (machine, _) = begun([RotationMachineTests.cp1])
    let check = CheckResult(.reachable, .failed, "no route to host")
    #expect(
      machine.changeFailed(
        on: "cp1", "no route to host", sent: false, check: check, at: now)
        == [.attempt("cp1", after: .seconds(1))])
    guard case .waiting(let effort)? = states(machine)["cp1"] else {
      Issue.record("\(machine.state)")
      return
    }
    #expect(effort.lastError == "no route to host")
    #expect(effort.waitingSince == now)
    #expect(effort.nextAttemptAt == now.advanced(by: .seconds(1)))
    #expect(
      effort.checks == [CheckRecord(result: check, since: now, lastError: "no route to host")])
    let later = now.advanced(by: .seconds(2))
    #expect(machine.attemptDue("cp1", at: later) == [.apply("cp1")])
    #expect(
      machine.changeFailed(
        on: "cp1", "still not", sent: false, check: check, at: later)
        == [.attempt("cp1", after: .seconds(5))])
    #expect(states(machine)["cp1"]?.effort?.waitingSince == now)
    #expect(states(machine)["cp1"]?.effort?.attempts == 2)
    _ = machine.attemptDue("cp1", at: later)
    _ = machine.changeApplied(to: "cp1", at: later)
    // Taking the change is not yet the end of the wait: since when does not begin anew.
    #expect(states(machine)["cp1"]?.effort?.waitingSince == now)
    #expect(states(machine)["cp1"]?.effort?.nextAttemptAt == nil)
    _ = machine.machineChecked("cp1", RotationMachineTests.passed, at: later)
    let verified = states(machine)["cp1"]?.effort
    #expect(verified?.waitingSince == nil && verified?.lastError == "")
  }

  @Test("A check that does not pass keeps the machine, and says which and since when")
  func checkFails() {
    var (machine, _) = begun([RotationMachineTests.cp1, RotationMachineTests.w1])
    _ = machine.changeApplied(to: "cp1", at: now)
    let results = [
      CheckResult(.accepted, .passed), CheckResult(.kubelet, .waiting, "restarting"),
      CheckResult(.nodeReady, .failed, "NotReady"),
    ]
    #expect(
      machine.machineChecked("cp1", results, at: now) == [.verify("cp1", after: .seconds(1))])
    let effort = states(machine)["cp1"]?.effort
    #expect(effort?.lastError == "NotReady")
    #expect(effort?.waitingSince == now)
    let later = now.advanced(by: .seconds(7))
    let better = [CheckResult(.kubelet, .waiting), CheckResult(.nodeReady, .passed)]
    _ = machine.machineChecked("cp1", better, at: later)
    let checks = states(machine)["cp1"]?.effort?.checks
    #expect(checks?.map(\.since) == [now, later])
    #expect(checks?.map(\.lastError) == ["", "NotReady"])
    #expect(states(machine)["w1"] == .pending)
  }

  @Test("No checks at all is not verified")
  func nothingChecked() {
    var (machine, _) = begun([RotationMachineTests.cp1])
    _ = machine.changeApplied(to: "cp1", at: now)
    #expect(machine.machineChecked("cp1", [], at: now) == [.verify("cp1", after: .seconds(1))])
    #expect(states(machine)["cp1"]?.effort?.lastError == "nothing was checked")
  }

  @Test("A change that somebody else has undone is made again")
  func lostChange() {
    var (machine, _) = begun([RotationMachineTests.cp1])
    _ = machine.changeApplied(to: "cp1", at: now)
    let lost = [CheckResult(.configApplied, .failed, "the new CA is missing")]
    #expect(
      machine.machineChecked("cp1", lost, at: now) == [.attempt("cp1", after: .seconds(1))])
    #expect(machine.attemptDue("cp1", at: now) == [.apply("cp1")])
    _ = machine.changeApplied(to: "cp1", at: now)
    #expect(
      machine.machineChecked("cp1", lost, at: now) == [.attempt("cp1", after: .seconds(5))])
  }

  @Test("The rotation cannot fail once a machine may have been touched")
  func refusal() {
    var fresh = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    #expect(fresh.membersRefused("Talos 1.6 is too old", at: now) == [])
    #expect(fresh.state == .failed(reason: "Talos 1.6 is too old"))
    var (machine, _) = begun([RotationMachineTests.cp1])
    #expect(
      machine.membersRefused("Talos 1.6 is too old", at: now) == [.listMembers(after: .seconds(1))])
    #expect(!machine.state.isFinal)
    #expect(machine.state.stage?.listing.lastError == "Talos 1.6 is too old")
  }

  @Test("Members that cannot be read, or name no control plane, are asked for again")
  func membersUnavailable() {
    var machine = RotationMachine(component: .talosCA, rules: RotationMachineTests.rules)
    #expect(
      machine.membersUnavailable("timeout", at: now) == [.listMembers(after: .seconds(1))])
    #expect(machine.membersListed([], at: now) == [.listMembers(after: .seconds(5))])
    #expect(
      machine.membersListed([RotationMachineTests.w1], at: now)
        == [.listMembers(after: .seconds(5))])
    guard case .assembling(let effort) = machine.state else {
      Issue.record("\(machine.state)")
      return
    }
    #expect(effort.attempts == 3 && effort.waitingSince == now)
  }

  @Test("A machine that is merely missing is never dropped, however long")
  func missing() {
    var (machine, _) = begun([RotationMachineTests.cp1, RotationMachineTests.w1])
    for hours in 0..<100 {
      _ = machine.membersListed(
        [RotationMachineTests.cp1], departures: ["cp1": .proved, "w2": .proved],
        at: now.advanced(by: .seconds(3600 * hours)))
    }
    #expect(states(machine).keys.sorted() == ["cp1", "w1"])
    #expect(machine.notes == [])
  }

  @Test("A machine that has left is dropped only after it was missing for long enough")
  func departure() {
    var (machine, _) = begun([RotationMachineTests.cp1, RotationMachineTests.w1])
    #expect(
      machine.membersListed([RotationMachineTests.cp1], departures: ["w1": .proved], at: now) == [
        listing
      ])
    #expect(states(machine).keys.sorted() == ["cp1", "w1"])
    let half = now.advanced(by: .seconds(59))
    _ = machine.membersListed([RotationMachineTests.cp1], departures: ["w1": .proved], at: half)
    #expect(states(machine).keys.sorted() == ["cp1", "w1"])
    // It shows up again: the count begins anew.
    _ = machine.membersListed([RotationMachineTests.cp1, RotationMachineTests.w1], at: half)
    _ = machine.membersListed(
      [RotationMachineTests.cp1], departures: ["w1": .proved], at: now.advanced(by: .seconds(100)))
    #expect(states(machine).keys.sorted() == ["cp1", "w1"])
    _ = machine.membersListed(
      [RotationMachineTests.cp1], departures: ["w1": .proved], at: now.advanced(by: .seconds(160)))
    #expect(states(machine).keys.sorted() == ["cp1"])
    #expect(machine.notes == ["w1 left the cluster during PRE_ROTATE"])
  }

  @Test(
    "A machine that a person has said to be gone is dropped when it is missing for long enough, and it is noted that nothing is proved"
  )
  func said() {
    var (machine, _) = begun([RotationMachineTests.cp1, RotationMachineTests.w1])
    _ = machine.membersListed([RotationMachineTests.cp1], departures: ["w1": .said], at: now)
    #expect(states(machine).keys.sorted() == ["cp1", "w1"], "it may be merely restarting")
    _ = machine.membersListed(
      [RotationMachineTests.cp1], departures: ["w1": .said], at: now.advanced(by: .seconds(60)))
    #expect(states(machine).keys.sorted() == ["cp1"])
    #expect(
      machine.notes == [
        "w1 was left out during PRE_ROTATE, because a person has said that it is gone: nothing is proved of it"
      ])
  }

  @Test("Until when a missing machine is waited for is kept, and forgotten when it is back")
  func absence() {
    let all = [RotationMachineTests.cp1, RotationMachineTests.w1]
    var (machine, _) = begun(all)
    func absence() -> String? { machine.state.stage?.machines.last?.absence }
    _ = machine.membersListed(
      [RotationMachineTests.cp1], departures: ["w1": .doubted("dropped once it has no node")],
      at: now)
    #expect(absence() == "dropped once it has no node")
    // In a list that tells nothing of it, nothing is known any more.
    _ = machine.membersListed([RotationMachineTests.cp1], at: now)
    #expect(absence() == "")
    _ = machine.membersListed(
      [RotationMachineTests.cp1], departures: ["w1": .doubted("dropped once")], at: now)
    _ = machine.membersListed(all, at: now)
    #expect(absence() == "")
  }

  @Test("When the machine that is waited for leaves, the others go on")
  func departureOfTheOneInWork() {
    var (machine, _) = begun([RotationMachineTests.cp1, RotationMachineTests.cp2])
    _ = machine.membersListed([RotationMachineTests.cp2], departures: ["cp1": .proved], at: now)
    let effects = machine.membersListed(
      [RotationMachineTests.cp2], departures: ["cp1": .proved], at: now.advanced(by: .seconds(61)))
    #expect(effects == [.apply("cp2"), listing])
    // What comes in late about the one that left is ignored.
    let before = machine
    #expect(machine.changeApplied(to: "cp1", at: now) == [])
    #expect(machine == before)
  }

  @Test("A machine of another role under the same name begins anew")
  func changedRole() {
    var (machine, _) = begun([RotationMachineTests.cp1, RotationMachineTests.w1])
    _ = finish(&machine, "cp1")
    _ = finish(&machine, "w1")
    let reborn = Machine(id: "w1", address: "10.0.0.9", role: .controlPlane)
    #expect(
      machine.membersListed([RotationMachineTests.cp1, reborn], at: now)
        == [.apply("w1"), listing])
    #expect(machine.state.stage?.machines.map(\.machine) == [RotationMachineTests.cp1, reborn])
    #expect(
      machine.notes.count == 1
        && machine.notes[0].contains("w1, which was a worker, is a control plane"))
  }

  @Test("A rotation that is taken up again orders exactly what is outstanding")
  func resumption() {
    var (machine, _) = begun([
      RotationMachineTests.cp1, RotationMachineTests.w1, RotationMachineTests.w2,
    ])
    #expect(machine.resumed(at: now) == [.listMembers(after: .zero), .apply("cp1")])
    _ = machine.changeApplied(to: "cp1", at: now)
    #expect(
      machine.resumed(at: now) == [.listMembers(after: .zero), .verify("cp1", after: .zero)])
    _ = machine.machineChecked("cp1", RotationMachineTests.passed, at: now)
    let check = CheckResult(.reachable, .failed, "down")
    _ = machine.changeFailed(
      on: "w1", "down", sent: false, check: check, at: now)
    // Half of the delay is over; or the wall clock was set back by a day.
    for (moment, delay) in [
      (now.advanced(by: .milliseconds(500)), Duration.milliseconds(500)),
      (now.advanced(by: .seconds(-86_400)), .seconds(5)), (now.advanced(by: .seconds(9)), .zero),
    ] {
      #expect(
        machine.resumed(at: moment)
          == [.listMembers(after: .zero), .attempt("w1", after: delay), .apply("w2")])
    }
  }

  @Test("Inputs that come too late change nothing")
  func late() {
    var (machine, _) = begun([RotationMachineTests.cp1, RotationMachineTests.w1])
    let before = machine
    #expect(machine.attemptDue("cp1", at: now) == [])
    #expect(machine.machineChecked("cp1", RotationMachineTests.passed, at: now) == [])
    #expect(machine.machineChecked("w1", RotationMachineTests.passed, at: now) == [])
    #expect(machine.clusterChecked(RotationMachineTests.clusterPassed, at: now) == [])
    #expect(machine.changeApplied(to: "nobody", at: now) == [])
    #expect(machine == before)
  }

  @Test("Notes and error texts are bounded")
  func bounds() {
    var (machine, _) = begun([RotationMachineTests.cp1])
    for round in 0..<100 {
      let guest = Machine(id: "guest-\(round)", address: "10.0.1.1", role: .worker)
      _ = machine.membersListed([RotationMachineTests.cp1, guest], at: now)
    }
    #expect(machine.notes.count == RotationMachine.noteLimit)
    #expect(machine.notes.last == "guest-99 joined the cluster during PRE_ROTATE")
    let long = String(repeating: "é", count: 10_000)
    let check = CheckResult(.reachable, .failed, long)
    _ = machine.changeFailed(
      on: "cp1", long, sent: false, check: check, at: now)
    let effort = states(machine)["cp1"]?.effort
    #expect(effort?.lastError.utf8.count ?? .max <= CheckResult.detailLimit)
    #expect(check.detail.utf8.count <= CheckResult.detailLimit && check.detail.hasSuffix("é…"))
  }
}
