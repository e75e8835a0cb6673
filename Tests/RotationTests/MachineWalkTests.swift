import Rotation
import Testing

/// A generator with a seed (SplitMix64), so that every walk can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite("Rotation machine, walked at random")
struct MachineWalkTests {
  /// Every machine as it is in the world, the machine's effects carried out on it in any order,
  /// with failures, losses, joins and restarts in between.
  struct World {
    var machine = RotationMachine(rules: RotationMachineTests.rules)
    var now = RotationMachineTests.start
    var members: [Machine]
    var held: [String: TrustBundle] = [:]
    var outstanding: [RotationMachine.Effect.Key: RotationMachine.Effect] = [:]
    var generator: SeededGenerator

    mutating func order(_ effects: [RotationMachine.Effect]) {
      for effect in effects { outstanding[effect.key] = effect }
    }

    mutating func chance(_ percent: Int) -> Bool {
      Int.random(in: 0..<100, using: &generator) < percent
    }

    var phase: RotationPhase { machine.state.stage?.phase ?? .preRotate }

    mutating func carryOut(_ effect: RotationMachine.Effect, trouble: Int) {
      switch effect {
      case .listMembers:
        order(
          chance(trouble)
            ? machine.membersUnavailable("down", at: now) : machine.membersListed(members, at: now))
      case .apply(let id):
        let role = members.first { $0.id == id }?.role ?? .worker
        if !chance(trouble) {
          held[id] = TrustPlan.bundle(.talosCA, phase, role)
          // It may have taken effect although the answer was lost.
          if !chance(trouble) {
            order(machine.changeApplied(to: id, unchanged: false, at: now))
            return
          }
        }
        let check = CheckResult(CheckResult.reachable, .failed, "down")
        order(machine.changeFailed(on: id, "down", check: check, at: now))
      case .attempt(let id, _):
        order(machine.attemptDue(id, at: now))
      case .verify(let id, _):
        let role = members.first { $0.id == id }?.role ?? .worker
        let holds = held[id] == TrustPlan.bundle(.talosCA, phase, role)
        let state: CheckResult.State = chance(trouble) ? .waiting : holds ? .passed : .failed
        order(
          machine.machineChecked(id, [CheckResult(CheckResult.configApplied, state)], at: now))
      case .verifyCluster:
        order(
          machine.clusterChecked(
            [CheckResult("nodes", chance(trouble) ? .waiting : .passed)], at: now))
      }
    }
  }

  @Test(
    "Whatever fails in whatever order: turns, trust and stages hold, and it ends",
    arguments: 0..<200)
  func walk(seed: Int) throws {
    var generator = SeededGenerator(state: UInt64(seed))
    let controlPlanes = Int.random(in: 1...4, using: &generator)
    let workers = Int.random(in: 0...5, using: &generator)
    var world = World(
      members: (0..<controlPlanes).map {
        Machine(id: "cp\($0)", address: "10.0.0.\($0)", role: .controlPlane)
      } + (0..<workers).map { Machine(id: "w\($0)", address: "10.0.1.\($0)", role: .worker) },
      generator: generator)
    for member in world.members {
      world.held[member.id] = TrustPlan.bundle(.talosCA, .preRotate, member.role, .backward)
    }
    let trouble = [0, 10, 40][seed % 3]
    world.order(world.machine.resumed(at: world.now))
    var steps = 0
    while !world.machine.state.isFinal {
      steps += 1
      try #require(steps < 20_000, "it does not end")
      let phase = world.phase
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
          state: world.machine.state, notes: world.machine.notes, rules: RotationMachineTests.rules)
        world.outstanding = [:]
        world.order(world.machine.resumed(at: world.now))
        continue
      }
      if steps % 50 == 49, world.members.count < 10 {
        let id = "w\(world.members.count)"
        let guest = Machine(id: id, address: "10.0.2.1", role: .worker)
        world.members.append(guest)
        world.held[id] = TrustPlan.bundle(.talosCA, world.phase, .worker, .backward)
      }
      world.carryOut(effect, trouble: trouble)
      check(world, before: phase)
    }
    #expect(world.held.values.allSatisfy { $0.accepted == [.new] && $0.issuing == .new })
  }

  private func check(_ world: World, before phase: RotationPhase) {
    guard let stage = world.machine.state.stage else { return }
    let inWork = stage.machines.filter { $0.state.turn == .inWork }
    let controlPlanes = inWork.filter { $0.machine.role == .controlPlane }
    #expect(controlPlanes.count <= 1)
    #expect(inWork.count <= 2)
    if stage.machines.contains(where: { $0.machine.role == .controlPlane && $0.state.turn != .done }
    ) {
      #expect(inWork.allSatisfy { $0.machine.role == .controlPlane })
    }
    // A stage is left only when every member holds what it asks for.
    if world.phase != phase {
      #expect(world.phase == phase.next)
      for member in world.members {
        #expect(world.held[member.id] == TrustPlan.bundle(.talosCA, phase, member.role))
      }
    }
    let trust = world.held.values
    #expect(trust.allSatisfy { a in trust.allSatisfy { b in a.verifies(b) } })
  }
}
