internal import Crypto

/// Where the machines of a cluster meet: the network between them, and etcd.
actor ClusterHub {
  nonisolated let executor = SimulationExecutor()
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  nonisolated let calls = CallCounts()
  private(set) var nodes: [SimulatedNode] = []
  var kubernetes = KubernetesState()
  let options: ClusterOptions
  /// When the cluster was made, in seconds since 1970.
  let created: Int64
  private var random: SeededGenerator
  /// Since when a kubelet has reached no API server that it and that trusts it.
  var lostSince: [String: ContinuousClock.Instant] = [:]
  /// When each kubelet last renewed its lease, by its machine's clock.
  var leaseRenewals: [String: Int64] = [:]
  /// Nodes that somebody has deleted; a kubelet registers its own again when it starts.
  var deletedNodes: Set<String> = []
  var strayNodes: [StrayNode] = []
  /// The leases that have run out without anybody to take them.
  var freeLeases: Set<KubernetesState.Led> = []

  init(options: ClusterOptions, created: Int64) {
    self.options = options
    self.created = created
    random = SeededGenerator(seed: options.seed)
  }

  func attach(_ nodes: [SimulatedNode]) { self.nodes = nodes }

  // MARK: trustd

  /// What a worker gets from trustd: a certificate, and what to accept.
  struct TrustdAnswer: Sendable {
    var server: PEMPair
    var accepted: String
  }

  /// Asks a trustd on behalf of a worker: one of those that answer and that the worker trusts, by
  /// chance, as gRPC's load balancing does.
  func requestCertificate(_ request: TrustdRequest) async -> TrustdAnswer? {
    var candidates = nodes.filter(\.isControlPlane)
    while !candidates.isEmpty {
      let chosen = candidates.remove(at: Int(random.next() % UInt64(candidates.count)))
      if let answer = await chosen.trustdSign(request) { return answer }
    }
    return nil
  }

  /// The machine behind an address or name.
  func node(at target: String) -> SimulatedNode? {
    nodes.first { $0.address == target || $0.name == target }
  }
}

/// What a worker asks trustd for.
struct TrustdRequest: Sendable {
  var name: String
  var address: String
  var sans: [String]
  var token: String
  /// What the worker accepts trustd's certificate from.
  var accepted: [String]
}

/// SplitMix64: chance that a seed repeats.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
