import Rotation
import TestSupport
import Testing

@Suite("Rotation machine, walked at random")
struct MachineWalkTests {
  /// Every machine as it is in the world, the machine's effects carried out on it in any order,
  /// with failures, losses, joins and restarts in between.
  struct World {
    var component: SecretComponent
    var machine: RotationMachine
    var now = RotationMachineTests.start
    var members: [Machine]
    var held: [String: TrustBundle] = [:]
    /// Workers that asked for their trust too early.
    var stale: Set<String> = []
    /// Whether what aggregated API servers are told was written anew.
    var clientsRenewed = false
    var outstanding: [RotationMachine.Effect.Key: RotationMachine.Effect] = [:]
    var generator: SeededGenerator
    var soak: Soak?
    /// The stage that the hooks have agreed to since the process was started.
    var agreed: RotationPhase?
    /// Somebody wants it aborted, and a change is on its way.
    var wantsAbort = false
    /// Per cent of looks before which somebody else undoes a change.
    var undoing: Int

    init(
      _ component: SecretComponent, _ members: [Machine], undoing: Int, soak: Soak? = nil,
      _ generator: SeededGenerator
    ) {
      self.soak = soak
      self.component = component
      self.members = members
      self.undoing = undoing
      self.generator = generator
      machine = RotationMachine(
        component: component, state: .assembling(Effort()), notes: [],
        rules: RotationMachineTests.rules, soak: soak, asksHooks: Self.asksHooks(soak))
    }

    /// Whether hooks are asked before each stage.
    var asksHooks: Bool { Self.asksHooks(soak) }

    static func asksHooks(_ soak: Soak?) -> Bool { soak != nil }

    /// Somebody puts back what a machine held before the stage.
    mutating func meddle() {
      guard chance(undoing), let victim = members.randomElement(using: &generator) else { return }
      guard held[victim.id] == wanted(victim.role) else { return }
      held[victim.id] = TrustPlan.bundle(
        component, phase, victim.role, direction == .forward ? .backward : .forward)
    }

    /// What a look at a machine shows.
    mutating func look(_ id: String, trouble: Int) -> [CheckResult] {
      let role = members.first { $0.id == id }?.role ?? .worker
      let holds = held[id] == wanted(role)
      let state: CheckResult.State = chance(trouble) ? .waiting : holds ? .passed : .failed
      let refresh = CheckResult(.trustRefresh, .waiting, "asked too early")
      return [CheckResult(.configApplied, state)] + (stale.contains(id) ? [refresh] : [])
    }

    mutating func order(_ effects: [RotationMachine.Effect]) {
      for effect in effects { outstanding[effect.key] = effect }
    }

    mutating func chance(_ percent: Int) -> Bool {
      Int.random(in: 0..<100, using: &generator) < percent
    }

    var phase: RotationPhase { machine.state.stage?.phase ?? .preRotate }
    var direction: RotationDirection { machine.state.stage?.direction ?? .forward }

    func wanted(_ role: MachineRole) -> TrustBundle {
      TrustPlan.bundle(component, phase, role, direction)
    }

    /// Somebody aborts the rotation: once nothing is on its way, as the run does.
    mutating func abort() {
      if machine.isChangeInFlight {
        machine.hold()
        wantsAbort = true
        return
      }
      wantsAbort = false
      switch machine.abortRequested(by: "uid:0", at: now) {
      case .reversed(let effects): if !effects.isEmpty { outstanding = [:] }; order(effects)
      case .aborted, .retired, .over: break
      }
    }

    mutating func carryOut(_ effect: RotationMachine.Effect, trouble: Int) {
      switch effect {
      case .listMembers:
        // Whose processes lead changes all the time, and may be said of anybody.
        machine.leadersSeen(Array(members.map(\.id).shuffled(using: &generator).prefix(2)))
        order(
          chance(trouble)
            ? machine.membersUnavailable("down", at: now) : machine.membersListed(members, at: now))
      case .prepare(let id):
        let check = CheckResult(.reachable, .failed, "down")
        order(
          chance(trouble)
            ? machine.preparationFailed(on: id, "down", check: check, at: now)
            : machine.machinePrepared(id, Baseline(["seen": id]), at: now))
      case .apply(let id):
        let role = members.first { $0.id == id }?.role ?? .worker
        var sent = false
        if !chance(trouble) {
          sent = true
          held[id] = wanted(role)
          if role == .worker, chance(trouble / 2) { stale.insert(id) }
          // It may have taken effect although the answer was lost.
          if !chance(trouble) {
            order(machine.changeApplied(to: id, at: now))
            return
          }
        }
        let check = CheckResult(.reachable, .failed, "down")
        order(machine.changeFailed(on: id, "down", sent: sent, check: check, at: now))
      case .attempt(let id, _):
        order(machine.attemptDue(id, at: now))
      case .verify(let id, _):
        meddle()
        order(machine.machineChecked(id, look(id, trouble: trouble), at: now))
      case .persist(let id):
        let check = CheckResult(.configPersisted, .waiting, "down")
        order(
          chance(trouble)
            ? machine.persistFailed(on: id, "down", check: check, at: now)
            : machine.changePersisted(id, at: now))
      case .refreshTrust(let id):
        stale.remove(id)
        let check = CheckResult(.trustRefresh, .waiting, "down")
        order(
          chance(trouble)
            ? machine.refreshFailed(on: id, "down", check: check, at: now)
            : machine.trustRefreshed(id, at: now))
      case .askHooks(let phase, _):
        let answer = chance(trouble) ? StageAnswer.wait(hook: "window", said: "closed") : .go
        agreed = answer == .go ? phase : nil
        order(machine.hooksAnswered(phase, answer, at: now))
      case .renewExtensionAuthentication:
        let fails = chance(trouble)
        clientsRenewed = clientsRenewed || !fails
        order(machine.clusterRenewed(fails ? "down" : nil, at: now))
      case .verifyCluster:
        // What is undone between the look at a machine and the end of the gate nobody can see any more.
        meddle()
        var report = ClusterReport(
          cluster: [CheckResult(named: "nodes", chance(trouble) ? .waiting : .passed)])
        if phase == .postRotate || direction == .backward, !clientsRenewed {
          report.cluster.append(CheckResult(.extensionAuthentication, .waiting, "holds another"))
        }
        for progress in machine.state.stage?.machines ?? [] {
          report.machines[progress.machine.id] = look(progress.machine.id, trouble: trouble / 4)
        }
        order(machine.clusterChecked(report, at: now))
      }
    }
  }

  @Test(
    "Whatever fails in whatever order: turns, trust and stages hold, and it ends",
    arguments: 0..<200)
  func walk(seed: Int) throws { try walk(seed: seed, abortingAt: nil) }

  @Test(
    "Whenever it is aborted, every machine ends with the old authority alone, or it was too late",
    arguments: 0..<400)
  func aborted(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed) + 77)
    try walk(seed: seed, abortingAt: Int.random(in: 0...120, using: &generator))
  }

  private func walk(seed: Int, abortingAt step: Int?) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let controlPlanes = Int.random(in: 1...4, using: &generator)
    let workers = Int.random(in: 0...5, using: &generator)
    let component = SecretComponent.allCases[seed % 2]
    var world = World(
      component,
      (0..<controlPlanes).map {
        Machine(id: "cp\($0)", address: "10.0.0.\($0)", role: .controlPlane)
      } + (0..<workers).map { Machine(id: "w\($0)", address: "10.0.1.\($0)", role: .worker) },
      undoing: [0, 2][seed / 2 % 2],
      soak: [nil, .lasting(.seconds(3)), .untilContinued][seed / 4 % 3], generator)
    for member in world.members {
      world.held[member.id] = TrustPlan.bundle(component, .preRotate, member.role, .backward)
    }
    let trouble = [0, 10, 40][seed % 3]
    world.order(world.machine.resumed(at: world.now))
    var steps = 0
    while !world.machine.state.isFinal {
      steps += 1
      try #require(steps < 20_000, "it does not end")
      if steps == step { world.abort() }
      if world.chance(20),
        case .continued(let effects) = world.machine.continueRequested(
          by: "uid:0", at: world.now)
      {
        world.order(effects)
      }
      let before = world.machine.state.stage
      let keys = world.outstanding.keys.sorted { "\($0)" < "\($1)" }
      let chosen = keys.randomElement(using: &world.generator)
      let key = try #require(chosen, "nothing left to do")
      let ordered = world.outstanding.removeValue(forKey: key)
      let effect = try #require(ordered)
      world.now = world.now.advanced(by: .milliseconds(100))
      if trouble > 0, world.chance(3) {
        // The process dies before, or after, the effect; the state is all that is left.
        if world.chance(50) { world.carryOut(effect, trouble: 100) }
        world.machine = RotationMachine(
          component: component, state: world.machine.state, notes: world.machine.notes,
          rules: RotationMachineTests.rules, soak: world.soak, asksHooks: world.asksHooks)
        // Whoever wanted it aborted got no answer, and does not ask again.
        world.wantsAbort = false
        world.agreed = nil
        world.outstanding = [:]
        world.order(world.machine.resumed(at: world.now))
        continue
      }
      if steps % 50 == 49, world.members.count < 10 {
        let id = "w\(world.members.count)"
        let guest = Machine(id: id, address: "10.0.2.1", role: .worker)
        world.members.append(guest)
        world.held[id] = TrustPlan.bundle(
          component, world.phase, .worker, world.direction == .forward ? .backward : .forward)
      }
      world.carryOut(effect, trouble: trouble)
      if world.wantsAbort, !world.machine.isChangeInFlight { world.abort() }
      check(world, before: before)
    }
    switch world.machine.state {
    case .succeeded:
      #expect(world.clientsRenewed && world.stale.isEmpty)
      #expect(world.held.values.allSatisfy { $0.accepted == [.new] && $0.issuing == .new })
    case .aborted:
      #expect(step != nil)
      #expect(world.held.values.allSatisfy { $0.accepted == [.old] && $0.issuing == .old })
    default: Issue.record("ends in \(world.machine.state)")
    }
  }

  private func check(_ world: World, before: Stage?) {
    guard let stage = world.machine.state.stage else { return }
    if let before, before.reversal != nil { #expect(stage.reversal == before.reversal) }
    let changing = stage.machines.filter { progress in
      switch progress.state {
      case .preparing, .applying, .waiting, .verifying, .refreshing, .persisting: true
      case .pending, .verified, .confirming, .undone: false
      }
    }
    if let hold = world.machine.state.hold {
      #expect(stage.reversal == nil && world.asksHooks)
      // Nobody is in work: before the first stage nobody has had a turn, later everybody has passed the stage before.
      if hold.phase == .preRotate {
        #expect(stage.machines.allSatisfy { $0.state == .pending })
      } else {
        #expect(hold.phase == stage.phase.next && stage.isComplete)
      }
    }
    // A stage that is entered on the way forward was agreed to, and all was found well since.
    if world.asksHooks, stage.reversal == nil, before?.phase != stage.phase, before != nil {
      #expect(world.agreed == stage.phase)
    }
    let controlPlanes = changing.count { $0.machine.role == .controlPlane }
    #expect(controlPlanes <= 1)
    // A control plane whose change is undone takes its turn beside the workers that wait for it.
    #expect(changing.count - controlPlanes <= 2)
    for progress in changing where progress.machine.role == .controlPlane {
      if case .applying = progress.state, world.component == .kubernetesCA {
        #expect(progress.baseline != nil, "nothing is changed before what it shows is on record")
      }
    }
    // A stage is left only when every member was seen to hold what it asks for.
    if let before, before.phase != stage.phase, before.direction == stage.direction {
      let isForward = before.direction == .forward
      #expect(stage.phase == (isForward ? before.phase.next : before.phase.previous))
      for member in world.members where world.undoing == 0 {
        #expect(
          world.held[member.id]
            == TrustPlan.bundle(world.component, before.phase, member.role, before.direction))
      }
    }
    let trust = world.held.values
    #expect(trust.allSatisfy { a in trust.allSatisfy { b in a.verifies(b) } })
  }
}
