import Orchestrator
import ProtoCodec
import Rotation

/// Whether the machines of a rotation are all that there are.
enum Coverage {
  /// What `RotationOptions.unready` calls the list of the Kubernetes nodes, where no API server gave it.
  static let unreadyNodes = "nodes"

  /// The members that one control plane's discovery knows.
  struct View: Sendable {
    var plane: String
    var members: [ClusterMember]
  }

  /// - Parameters:
  ///   - machines: those that are rotated.
  ///   - isListed: whether a person has named the machines, because discovery does not know them.
  ///   - excused: the node identities of members that none of the machines need be, because they are left out and were looked
  ///     for in vain.
  static func findings(
    _ machines: [Machine], seenBy views: [View], isListed: Bool = false,
    excused: Set<String> = []
  ) -> [Finding] {
    let known = Set(machines.map(\.identity)).union(excused)
    let expected = isListed ? [] : machines.filter { !$0.identity.isEmpty }
    let identities = views.map { Set($0.members.map(\.identity)) }
    let missing = expected.flatMap { machine in
      let blind = zip(views, identities).filter { !$0.1.contains(machine.identity) }.map(\.0)
      return forgotten(machine, by: blind, of: views.count)
    }
    // A name that is a machine's, or two members', would mean another one.
    let bearers = Dictionary(
      grouping: machines.map { ($0.id, $0.identity) }
        + views.flatMap(\.members).map { ($0.name, $0.identity) }, by: \.0)
    let further = views.flatMap { view in
      view.members.filter { !known.contains($0.identity) }.sorted { $0.name < $1.name }.map {
        let bearers = Set((bearers[$0.name] ?? []).map(\.1))
        let word = bearers.count > 1 ? $0.identity : $0.name
        return Finding(
          .notCovered, word,
          "the cluster discovery of \(view.plane) knows \($0.name) (node id \($0.identity)), which is none of the "
            + "machines that would be rotated: it would be locked out; if it is gone for good, or none of the cluster's, "
            + "leave it out (--leave-out \(word))")
      }
    }
    return missing + further
  }

  private static func forgotten(_ machine: Machine, by views: [View], of count: Int) -> [Finding] {
    guard views.count < count else {
      return views.isEmpty
        ? []
        : [
          Finding(
            .notCovered, machine.id,
            "the cluster discovery of no control plane that answers knows \(machine.id) any more: bring it up, or take "
              + "it out of the cluster for good")
        ]
    }
    return views.map {
      Finding(
        .notCovered, machine.id,
        "the cluster discovery of \($0.plane) does not know \(machine.id): the control planes disagree about who "
          + "is in the cluster; wait until they agree, or find out why they do not")
    }
  }

  /// The Kubernetes nodes that no machine answers for, and those of the machines.
  ///
  /// A machine has one node: the one of its name, else one of its name without the domain, else one that is at its address or
  /// has its host name. A further one is another machine's, or a former node's that nobody has deleted.
  static func nodes(
    _ nodes: [KnownNode], of machines: [Machine]
  ) -> (managed: [(Machine, KnownNode)], unmanaged: [KnownNode]) {
    var owners: [Int: Machine] = [:]
    var rest = machines
    for isTheirs in KnownNode.ties {
      rest = rest.filter { machine in
        guard
          let index = nodes.indices.first(where: {
            owners[$0] == nil && isTheirs(nodes[$0], machine)
          })
        else { return true }
        owners[index] = machine
        return false
      }
    }
    return (
      nodes.indices.compactMap { index in owners[index].map { ($0, nodes[index]) } },
      nodes.indices.filter { owners[$0] == nil }.map { nodes[$0] }
    )
  }

  static func unmanaged(_ node: KnownNode) -> Finding {
    let address = node.addresses.sorted().first.map { " (\(PeerText.clean($0)))" } ?? ""
    return Finding(
      .unmanagedNode, PeerText.clean(node.name),
      "Kubernetes has a node \(PeerText.clean(node.name))\(address) that no Talos machine of this cluster "
        + "answers for: a rotation of the Kubernetes CA locks it out; remove it, or give "
        + "--allow-unmanaged-nodes")
  }
}

extension KnownNode {
  /// What ties a node to a machine, the closest first.
  fileprivate static let ties: [@Sendable (KnownNode, Machine) -> Bool] = [
    { node, machine in node.name == machine.id.lowercased() },
    { node, machine in NodeDeparture.names(of: machine).contains(node.name) },
    { node, machine in
      node.addresses.contains(machine.address)
        || !node.addresses.isDisjoint(with: NodeDeparture.names(of: machine))
    },
  ]
}
