import Orchestrator
import ProtoCodec
import Rotation

/// Whether the machines of a rotation are all that there are.
enum Coverage {
  /// Compares the machines with the members as every control plane knows them.
  static func findings(
    _ machines: [Machine], views: [MachineInspection], isListed: Bool = false
  ) -> [Finding] {
    views.filter { $0.machine.role == .controlPlane }.flatMap {
      findings(machines, seenBy: $0.machine.id, $0.members, isListed: isListed)
    }
  }

  /// - Parameters:
  ///   - members: the identities that one control plane knows, with their names.
  ///   - isListed: whether a person has named the machines, because discovery does not know them.
  static func findings(
    _ machines: [Machine], seenBy plane: String, _ members: [String: String], isListed: Bool = false
  ) -> [Finding] {
    let known = Set(machines.map(\.identity))
    let expected = isListed ? [] : machines
    let missing = expected.filter { !$0.identity.isEmpty && members[$0.identity] == nil }.map {
      Finding(
        .notCovered, $0.id,
        "the cluster discovery of \(plane) does not know \($0.id): the control planes disagree about who "
          + "is in the cluster; wait until they agree, or find out why they do not")
    }
    let further = members.filter { !known.contains($0.key) }.sorted { $0.value < $1.value }.map {
      Finding(
        .notCovered, $0.value,
        "the cluster discovery of \(plane) knows \($0.value) (node id \($0.key)), which is none of the "
          + "machines that would be rotated: it would be locked out")
    }
    return missing + further
  }

  /// The Kubernetes nodes that no machine answers for, and those of the machines.
  static func nodes(
    _ nodes: [KnownNode], of machines: [Machine]
  ) -> (managed: [(Machine, KnownNode)], unmanaged: [KnownNode]) {
    var managed: [(Machine, KnownNode)] = []
    var unmanaged: [KnownNode] = []
    for node in nodes {
      if let machine = machines.first(where: { node.isOf($0) }) {
        managed.append((machine, node))
      } else {
        unmanaged.append(node)
      }
    }
    return (managed, unmanaged)
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
  /// Whether the node is the machine's: it bears its name, or is at its address.
  func isOf(_ machine: Machine) -> Bool {
    let names = NodeDeparture.names(of: machine)
    return names.contains(name) || addresses.contains(machine.address)
      || !addresses.isDisjoint(with: names)
  }
}
