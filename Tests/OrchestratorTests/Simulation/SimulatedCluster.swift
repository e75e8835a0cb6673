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
  /// Per mille of changes after which a worker goes on with the trust from before, until it is made to ask.
  var stale = 0
  /// Per mille of changes after which the machine goes down for a while.
  var outage = 0
  /// Per mille of looks before which somebody else overwrites a machine's configuration: the one that is
  /// being verified, or any.
  var overwrite = 0
  var overwriteAny = 0
  /// Per mille of looks before which a second rotator, or an intruder, adds an authority of its own to a
  /// machine's list; it takes it back after a while.
  var foreign = 0
  /// Per mille of looks before which somebody stages a configuration for a machine's next boot, with the authority that
  /// goes, or a second rotator makes a machine issue from a third authority; it is taken back after a while.
  var staged = 0
  var usurped = 0
  /// Whether the driver says of machines that their processes lead, of others each time.
  var leaders = false
  /// Whether a machine that goes down or comes back shows that to whoever waits before the next look.
  var shows = false
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
    /// The authorities whose private keys the machine holds.
    var keys: Set<String> = []
    var downSince = Instant(nanosecondsSince1970: 0)
    var downUntil = Instant(nanosecondsSince1970: 0)
    var settledAt = Instant(nanosecondsSince1970: 0)
    /// The stage in which it was last changed, to judge the order of the turns.
    var verifiedIn: Step?
    /// What it calls itself in discovery, if not what it is.
    var claimedRole: MachineRole?
    /// A further address that discovery names first, and who holds it.
    var sharedAddress: String?
    /// Authorities that somebody else has added, with the time at which they are taken back.
    var foreign: [String: Instant] = [:]
    /// Until when another configuration is staged for its next boot.
    var stagedUntil = Instant(nanosecondsSince1970: 0)
    /// Until when a second rotator has it issue from an authority of its own.
    var usurpedUntil = Instant(nanosecondsSince1970: 0)
    var pods = Pods()
    /// What it goes back to by itself, and when, while it tries a change.
    var trial: (component: SecretComponent, before: Trust, ends: Instant)?
    /// Whether it asked for its trust too early, and goes on with that of the stage before.
    var isStale = false
    /// How far its clock is off.
    var skew = Duration.zero
  }

  /// The static pods of a control plane: they go on after an edit, and are restarted a while later.
  struct Pods: Sendable {
    var version = 1
    var container = 1
    /// The kubelet's restart that is under way.
    var restart: (begins: Instant, ends: Instant)?

    /// Brings the pods up to the time.
    mutating func advance(to now: Instant) {
      guard let restart, restart.ends <= now else { return }
      container += 1
      self.restart = nil
    }

    var isSettled: Bool { restart == nil }
  }

  /// A stage, carried out or undone.
  struct Step: Sendable, Hashable {
    var phase: RotationPhase
    var direction: RotationDirection

    init(_ phase: RotationPhase, _ direction: RotationDirection = .forward) {
      self.phase = phase
      self.direction = direction
    }

    init(_ change: TrustChange) { self.init(change.phase, change.direction) }

    /// Whether a rotation is over with this step.
    var isLast: Bool {
      self == Step(.postRotate) || self == Step(.preRotate, .backward)
    }

    /// What may follow once every machine was verified.
    func precedes(_ later: Step) -> Bool {
      if isLast { return later == Step(.preRotate) }
      guard later.direction == direction else { return false }
      return later.phase == (direction == .forward ? phase.next : phase.previous)
    }

    /// Whether the later one undoes this one, which may be begun at any time.
    func isUndone(by later: Step) -> Bool {
      direction == .forward && later == Step(phase, .backward) && phase != .postRotate
    }
  }

  struct State {
    var nodes: [String: Node]
    /// Machines changed and not yet verified.
    var inWork: Set<String> = []
    var step: Step?
    /// Every authority that a machine was ever told of.
    var seen: [SecretComponent: Set<String>] = [:]
    /// Configurations changed so far.
    var applied = 0
    /// The pauses before looks that were left to the driver: how long each was to be at most, and how long it was.
    var pauses: [(limit: Duration, slept: Duration)] = []
    /// Who answers at an address that several machines are known by.
    var holders: [String: String] = [:]
    /// The machines in whose place somebody answers who has the key of the authority that goes, and nothing else.
    var impersonated: Set<String> = []
    /// From when on authorities are valid.
    var validSince: [String: Instant] = [:]
    /// When authorities end, of those that do so soon.
    var ends: [String: Instant] = [:]
    /// The authorities whose clients aggregated API servers let in.
    var clientRoots: Set<String> = []
    /// How often a worker was made to ask for its trust.
    var refreshed = 0
    /// How often what a machine tried was made permanent, and how often one went back by itself.
    var persisted = 0
    var wentBack = 0
    /// Of the talosconfig, and those of them that a person has said to be gone.
    var endpoints = ["10.0.0.0"]
    var goneEndpoints: Set<String> = []
    /// The retired authorities by which the driver was to look for machines, at each start and each list of members.
    var soughtAtStarts: [Set<String>] = []
    var soughtInLists: [Set<String>] = []
    /// What keeps a rotation from starting.
    var findings: [Finding] = []
    /// When authorities end, by fingerprint; those that are not here end after everything else.
    var expiries: [String: Instant] = [:]
    var violations: [String] = []
  }

  let name: String
  let workerLimit: Int
  let state: Mutex<State>
  let clock: SimulatedExecutor

  init(name: String, controlPlanes: Int, workers: Int, workerLimit: Int, clock: SimulatedExecutor) {
    self.name = name
    self.workerLimit = workerLimit
    self.clock = clock
    var nodes: [String: Node] = [:]
    for index in 0..<(controlPlanes + workers) {
      let isControlPlane = index < controlPlanes
      let id = isControlPlane ? "\(name)-cp-\(index)" : "\(name)-w-\(index - controlPlanes)"
      let machine = Machine(
        id: id, address: "10.0.0.\(index)", role: isControlPlane ? .controlPlane : .worker,
        identity: "node-of-\(id)")
      nodes[id] = Node(
        machine: machine, trust: SimulatedCluster.original(name),
        keys: isControlPlane ? SimulatedCluster.originalKeys(name) : [])
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

  static func originalKeys(_ name: String) -> Set<String> {
    Set(SecretComponent.allCases.map { firstAuthority($0, name) })
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
        .map { node in
          var machine = node.machine
          machine.role = node.claimedRole ?? machine.role
          machine.address = node.sharedAddress ?? machine.address
          return machine
        }.sorted { $0.id < $1.id }
    }
  }

  /// Whether it was removed, not just forgotten by discovery.
  func hasLeft(_ id: String) -> Bool { state.withLock { $0.nodes[id] == nil } }

  var record: ClusterRecord {
    ClusterRecord(
      name: name, clusterID: "id-of-\(name)", endpoints: state.withLock { $0.endpoints },
      kubernetesEndpoint: "https://10.0.0.0:6443",
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
        machine: Machine(
          id: id, address: "10.0.9.9", role: role, identity: "node-of-\(id)"),
        trust: neighbour?.trust ?? [:],
        keys: role == .controlPlane ? neighbour?.keys ?? [] : [])
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
      // What is only tried is not on disk.
      $0.nodes[id]?.trial?.ends = since
      $0.nodes[id]?.downSince = since
      $0.nodes[id]?.downUntil = since.advanced(by: duration)
    }
  }

  func isDown(_ id: String) -> Bool {
    let now = clock.now()
    return state.withLock { $0.nodes[id]?.downUntil ?? now.advanced(by: .seconds(1)) > now }
  }

  var violations: [String] { state.withLock { $0.violations } }

  /// What has to hold whenever a rotation is said to have succeeded: every trust list of every machine holds
  /// the new authority alone, and the machine acts on that list.
  func expectOnly(_ authority: String, _ component: SecretComponent) -> [String] {
    let now = clock.now()
    return state.withLock { state in
      state.nodes.values.compactMap { node in
        let foreign = node.foreign.filter { $0.value > now }.keys.sorted()
        guard let trust = node.trust[component],
          trust == Trust(issuing: authority, accepted: [authority]), foreign.isEmpty,
          node.stagedUntil <= now, node.usurpedUntil <= now
        else {
          return
            "\(node.machine.id) holds \(node.trust[component]?.accepted.sorted() ?? []) \(foreign)"
        }
        guard component != .talosCA || !node.isStale else {
          return "\(node.machine.id) goes on with the trust of the stage before"
        }
        return nil
      }
    }
  }
}
