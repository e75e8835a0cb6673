internal import Schema

/// A member of the cluster as a machine's discovery shows it (`Members.cluster.talos.dev`).
public struct ClusterMember: Sendable, Equatable {
  /// The resource's id.
  public var name: String
  /// The identity of the machine that published the record.
  public var nodeID: String
  public var hostname: String
  /// Sorted as Talos sorts them: by number.
  public var addresses: [String]
  public var type: MachineType
  /// Nil where the record does not say that it is a control plane's.
  public var apiServerPort: Int?

  public init(
    name: String, nodeID: String, hostname: String? = nil, addresses: [String], type: MachineType,
    apiServerPort: Int? = nil
  ) {
    self.name = name
    self.nodeID = nodeID
    self.hostname = hostname ?? name
    self.addresses = addresses
    self.type = type
    self.apiServerPort = apiServerPort
  }

  /// Puts the addresses into the order of discovery.
  mutating func sortAddresses() {
    addresses.sort {
      (Talos.NetIP(text: $0)?.ip ?? []).lexicographicallyPrecedes(Talos.NetIP(text: $1)?.ip ?? [])
    }
  }
}

/// What makes a machine's list of members differ from the truth.
public struct MemberLie: Sendable {
  let change: @Sendable (inout [ClusterMember]) -> Void

  public init(_ change: @escaping @Sendable (inout [ClusterMember]) -> Void) {
    self.change = change
  }

  /// The member is missing.
  public static func hide(_ name: String) -> MemberLie {
    MemberLie { $0.removeAll { $0.name == name } }
  }

  /// The member's record says something else.
  public static func change(
    _ name: String, _ change: @escaping @Sendable (inout ClusterMember) -> Void
  ) -> MemberLie {
    MemberLie { list in
      for index in list.indices where list[index].name == name { change(&list[index]) }
    }
  }

  /// There is one more record.
  public static func add(_ member: ClusterMember) -> MemberLie { MemberLie { $0.append(member) } }
}

extension SimulatedNode {
  /// Makes this machine's list of members lie; an empty list of lies is the truth.
  public func setMemberLies(_ lies: [MemberLie]) {
    memberLies = lies
    render()
  }

  /// Whether the machine publishes itself to the others.
  var isPublished: Bool { state.active.config.discovery == .shared }

  /// Learns which machines publish nothing of themselves.
  func learnUnpublished(_ names: Set<String>) {
    if names == unpublished { return }
    unpublished = names
    render()
  }

  /// The members as this machine shows them.
  public var shownMembers: [ClusterMember] {
    var list =
      switch state.active.config.discovery {
      case .off: [ClusterMember]()
      case .alone: members.filter { $0.name == name }
      case .shared: members.filter { $0.name == name || !unpublished.contains($0.name) }
      }
    for lie in memberLies { lie.change(&list) }
    return list
  }
}

extension ClusterHub {
  /// A machine has begun or ceased to publish itself.
  func publishingChanged() async {
    var unpublished: Set<String> = []
    for node in nodes where await !node.isPublished { unpublished.insert(node.name) }
    for node in nodes { await node.learnUnpublished(unpublished) }
  }
}

extension SimulatedCluster {
  /// Makes every machine's list of members lie in the same way, as a member does that publishes a
  /// false record of itself.
  public func setMemberLies(_ lies: [MemberLie]) async {
    for node in nodes { await node.setMemberLies(lies) }
  }
}
