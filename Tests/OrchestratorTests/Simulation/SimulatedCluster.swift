import Orchestrator
import Rotation
import Synchronization

/// What a simulated machine is set to do to whoever talks to it.
struct Mischief: Sendable {
  /// Per mille of calls that fail before, or after, they had their effect.
  var failBefore = 0
  var failAfter = 0
  /// Looks at a machine that find it not ready yet.
  var slow = 0
  /// Per mille of changes after which the machine goes down for a while.
  var outage = 0
  /// Per mille of machines' configurations that somebody else overwrites while they are verified.
  var overwrite = 0
}

/// A broken promise, with the moment at which it was broken.
struct Violation: Error, CustomStringConvertible {
  var description: String
}

/// A cluster of machines, each with its trust, seen by every incarnation of the orchestrator.
/// Checks its invariants whenever anything is done to it.
final class SimulatedCluster: Sendable {
  struct Trust: Sendable, Hashable {
    var issuing: String
    var accepted: Set<String>
  }

  struct Node: Sendable {
    var machine: Machine
    var trust: [SecretComponent: Trust]
    var downSince = Instant(nanosecondsSince1970: 0)
    var downUntil = Instant(nanosecondsSince1970: 0)
    var settledAt = Instant(nanosecondsSince1970: 0)
    /// The stage in which it was last changed, to judge the order of the turns.
    var verifiedIn: RotationPhase?
  }

  struct State {
    var nodes: [String: Node]
    /// Machines changed and not yet verified.
    var inWork: Set<String> = []
    var phase: RotationPhase?
    /// Every authority that a machine was ever told of.
    var seen: [SecretComponent: Set<String>] = [:]
    /// Configurations changed so far.
    var applied = 0
    var violations: [String] = []
  }

  let name: String
  let workerLimit: Int
  let state: Mutex<State>
  private let clock: SimulatedExecutor

  init(name: String, controlPlanes: Int, workers: Int, workerLimit: Int, clock: SimulatedExecutor) {
    self.name = name
    self.workerLimit = workerLimit
    self.clock = clock
    var nodes: [String: Node] = [:]
    for index in 0..<(controlPlanes + workers) {
      let isControlPlane = index < controlPlanes
      let id = isControlPlane ? "\(name)-cp-\(index)" : "\(name)-w-\(index - controlPlanes)"
      let machine = Machine(
        id: id, address: "10.0.0.\(index)", role: isControlPlane ? .controlPlane : .worker)
      nodes[id] = Node(machine: machine, trust: SimulatedCluster.original(name))
    }
    state = Mutex(State(nodes: nodes))
  }

  static func original(_ name: String) -> [SecretComponent: Trust] {
    Dictionary(
      uniqueKeysWithValues: SecretComponent.allCases.map {
        let first = firstAuthority($0, name)
        return ($0, Trust(issuing: first, accepted: [first]))
      })
  }

  static func firstAuthority(_ component: SecretComponent, _ name: String) -> String {
    "\(name)/\(component.rawValue)/first"
  }

  /// What discovery knows: it forgets a machine that has been down for two minutes.
  var members: [Machine] {
    let now = clock.now()
    return state.withLock { state in
      state.nodes.values
        .filter { $0.downUntil <= now || $0.downSince.duration(to: now) < .seconds(120) }
        .map(\.machine).sorted { $0.id < $1.id }
    }
  }

  /// Whether it was removed, not just forgotten by discovery.
  func hasLeft(_ id: String) -> Bool { state.withLock { $0.nodes[id] == nil } }

  var record: ClusterRecord {
    ClusterRecord(
      name: name, endpoints: ["10.0.0.0"], kubernetesEndpoint: "https://10.0.0.0:6443",
      authorities: Dictionary(
        uniqueKeysWithValues: SecretComponent.allCases.map {
          let fingerprint = SimulatedCluster.firstAuthority($0, name)
          return (
            $0,
            SealedAuthority(
              certificatePEM: "pem", fingerprint: fingerprint, sealedKey: [1],
              binding: AuthorityBinding(cluster: name, component: $0))
          )
        }), machines: members, talosVersion: "v1.10.0")
  }

  func add(_ id: String, role: MachineRole) {
    state.withLock { state in
      // A machine that joins is made from the configuration that its cluster hands out now: what
      // its neighbours held before the stage, so they all verify each other.
      let neighbour = state.nodes.values.first { $0.machine.role == .controlPlane }
      state.nodes[id] = Node(
        machine: Machine(id: id, address: "10.0.9.9", role: role), trust: neighbour?.trust ?? [:])
    }
  }

  func remove(_ id: String) {
    state.withLock { state in
      state.nodes[id] = nil
      state.inWork.remove(id)
    }
  }

  func takeDown(_ id: String, for duration: Duration) {
    let since = clock.now()
    state.withLock {
      $0.nodes[id]?.downSince = since
      $0.nodes[id]?.downUntil = since.advanced(by: duration)
    }
  }

  func isDown(_ id: String) -> Bool {
    let now = clock.now()
    return state.withLock { $0.nodes[id]?.downUntil ?? now.advanced(by: .seconds(1)) > now }
  }

  var violations: [String] { state.withLock { $0.violations } }

  // MARK: - What is done to a machine

  func apply(_ change: TrustChange, to machine: Machine, mischief: Mischief) -> ApplyOutcome {
    let bundle = change.bundle(for: machine.role)
    let wanted = Trust(
      issuing: change.authority(bundle.issuing).fingerprint,
      accepted: Set(bundle.accepted.map { change.authority($0).fingerprint }))
    let settledAt = clock.now().advanced(
      by: .milliseconds(clock.pick(0...(mischief.slow > 0 ? 30_000 : 1_000))))
    return state.withLock { state in
      guard state.nodes[machine.id] != nil else { return .unchanged }
      state.begin(machine, change.phase, workerLimit: workerLimit)
      guard state.nodes[machine.id]?.trust[change.component] != wanted else { return .unchanged }
      state.applied += 1
      state.seen[change.component, default: []].formUnion(wanted.accepted)
      state.nodes[machine.id]?.trust[change.component] = wanted
      state.nodes[machine.id]?.settledAt = settledAt
      state.checkTrust(change.component)
      return .changed
    }
  }

  func verify(_ change: TrustChange, _ machine: Machine) -> [CheckResult] {
    let bundle = change.bundle(for: machine.role)
    let now = clock.now()
    return state.withLock { state in
      guard let node = state.nodes[machine.id], node.downUntil <= now else {
        return [CheckResult(CheckResult.reachable, .failed, "down")]
      }
      let trust = node.trust[change.component]
      let holds =
        trust?.issuing == change.authority(bundle.issuing).fingerprint
        && trust?.accepted == Set(bundle.accepted.map { change.authority($0).fingerprint })
      let settled = node.settledAt <= now
      if holds && settled {
        state.inWork.remove(machine.id)
        state.nodes[machine.id]?.verifiedIn = change.phase
      }
      return [
        CheckResult(CheckResult.reachable, .passed),
        CheckResult(CheckResult.configApplied, holds ? .passed : .failed, "\(change.phase.name)"),
        CheckResult("kubelet", settled ? .passed : .waiting, "restarting"),
      ]
    }
  }

  func verifyCluster(_ change: TrustChange) -> [CheckResult] {
    let now = clock.now()
    return state.withLock { state in
      let down = state.nodes.values.filter { $0.downUntil > now }
      return [
        CheckResult("nodes-ready", down.isEmpty ? .passed : .failed, "\(down.count) not ready")
      ]
    }
  }

  /// Somebody who knows nothing of the rotation puts back the first configuration's trust plus
  /// what it needs to stay in the cluster.
  func overwrite(_ machine: Machine, _ change: TrustChange) {
    let before = TrustPlan.bundle(change.component, change.phase, machine.role, .backward)
    state.withLock { state in
      state.nodes[machine.id]?.trust[change.component] = Trust(
        issuing: change.authority(before.issuing).fingerprint,
        accepted: Set(before.accepted.map { change.authority($0).fingerprint }))
      state.inWork.insert(machine.id)
    }
  }
}

extension SimulatedCluster.State {
  /// A machine's turn begins: is it its turn?
  mutating func begin(_ machine: Machine, _ phase: RotationPhase, workerLimit: Int) {
    if let current = self.phase, phase.rawValue != current.rawValue {
      let late = nodes.values.filter { $0.verifiedIn != current }.map(\.machine.id)
      if phase == current.next || (current == .postRotate && phase == .preRotate) {
        if !late.isEmpty {
          violations.append("\(phase.name) begins, but \(late) missed \(current.name)")
        }
      } else {
        violations.append("\(phase.name) follows \(current.name)")
      }
      for id in nodes.keys { nodes[id]?.verifiedIn = nil }
    }
    self.phase = phase
    inWork.insert(machine.id)
    let busy = inWork.compactMap { nodes[$0]?.machine }
    let controlPlanes = busy.filter { $0.role == .controlPlane }
    if controlPlanes.count > 1 {
      violations.append("several control planes in work: \(controlPlanes.map(\.id).sorted())")
    }
    if machine.role == .worker {
      if busy.count > workerLimit { violations.append("\(busy.count) machines in work") }
      let open = nodes.values.filter {
        $0.machine.role == .controlPlane && $0.verifiedIn != phase
      }
      if !open.isEmpty {
        violations.append("\(machine.id) begins before \(open.map(\.machine.id).sorted())")
      }
    }
  }

  /// Every machine still verifies every other one.
  mutating func checkTrust(_ component: SecretComponent) {
    for a in nodes.values {
      for b in nodes.values {
        guard let mine = a.trust[component], let theirs = b.trust[component] else { continue }
        if !mine.accepted.contains(theirs.issuing) {
          violations.append("\(a.machine.id) does not verify \(b.machine.id)")
        }
      }
    }
  }
}
