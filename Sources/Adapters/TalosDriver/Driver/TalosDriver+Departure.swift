public import Orchestrator
import ProtoCodec
public import Rotation

/// Whether a machine is gone for good.
extension TalosDriver {
  /// True only when Kubernetes knows no node of the machine any more, by its name or its address, while
  /// it does know the node of another machine under the name that machine has here.
  ///
  /// The other node is the positive control: it shows that nodes can be read, and that in this cluster
  /// nodes bear the names of their machines. Whatever cannot be read counts as no proof.
  public func hasLeft(_ machine: Machine, access: ClusterAccess) async -> Bool {
    let others = access.cluster.machines.filter { $0.id != machine.id }
    let evidence = try? await withKubernetes(access) { client async throws(DriverError) in
      let nodes = try await client.list("/api/v1/nodes").map(KnownNode.init)
      guard NodeDeparture.isShown(by: nodes, of: machine, others: others) else { return false }
      // A list may come a moment late; the object itself is asked for as well.
      for name in NodeDeparture.names(of: machine) {
        let path = "/api/v1/nodes/" + KubernetesClient.escaped(name)
        guard try await client.get(path) == nil else { return false }
      }
      return true
    }
    return evidence ?? false
  }
}

/// What of a Kubernetes node tells whose it is.
struct KnownNode: Sendable {
  var name: String
  /// Its host name and its IP addresses.
  var addresses: Set<String>
  /// The IP addresses by which the cluster reaches it.
  var internalAddresses: [String] = []

  init(name: String, addresses: Set<String>) {
    self.name = name
    self.addresses = addresses
  }

  /// The most addresses of a node that are kept.
  private static let addressLimit = 32

  /// A kubelet registers its node with what it likes: a name is a host name, or a text that is fit to be shown, and what
  /// is longer than a host name may be is no address.
  init(_ object: JSONValue) {
    name = PeerText.hostName(object.objectName) ?? PeerText.clean(object.objectName)
    let shown = (object["status"]?["addresses"]?.array ?? []).prefix(Self.addressLimit)
    func text(_ entry: JSONValue) -> String? {
      entry["address"]?.string.flatMap { $0.utf8.count <= 253 ? $0 : nil }
    }
    addresses = Set(shown.compactMap(text))
    internalAddresses = shown.compactMap {
      $0["type"]?.string == "InternalIP" ? text($0) : nil
    }
  }
}

enum NodeDeparture {
  /// The names that the node of a machine may bear: Kubernetes has them in lower case, and Talos
  /// registers a node without its domain unless told otherwise.
  static func names(of machine: Machine) -> [String] {
    let full = machine.id.lowercased()
    let short = full.split(separator: ".", maxSplits: 1).first.map(String.init) ?? full
    return full == short ? [full] : [full, short]
  }

  /// - Parameter others: the other machines that are known, of which one at least has to have its node.
  static func isShown(by nodes: [KnownNode], of machine: Machine, others: [Machine]) -> Bool {
    let names = names(of: machine)
    let isThere = nodes.contains { node in
      names.contains(node.name) || node.addresses.contains(machine.address)
        || !node.addresses.isDisjoint(with: names)
    }
    guard !isThere else { return false }
    return others.contains { other in
      let names = Self.names(of: other)
      return nodes.contains { names.contains($0.name) && $0.addresses.contains(other.address) }
    }
  }
}
