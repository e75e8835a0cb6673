public import Orchestrator
import ProtoCodec
public import Rotation

/// Whether a machine is gone for good.
extension TalosDriver {
  /// Proved only when Kubernetes knows no node of the machine any more, by its name or its address, while
  /// it does know the node of another machine under the name that machine has here.
  ///
  /// The other node is the positive control: it shows that nodes can be read, and that in this cluster
  /// nodes bear the names of their machines. Whatever cannot be read counts as no proof. Without Kubernetes there is none:
  /// discovery forgets a machine that is switched off, too, and it would come back with the old authority.
  public func departure(of machine: Machine, access: ClusterAccess) async -> Departure {
    if let leftOut = access.rotation?.options.leftOut, leftOut.contains(machine),
      await trace(of: [machine], access) == nil
    {
      return .said
    }
    guard access.cluster.authorities[.kubernetesCA] != nil else {
      return .doubted(
        "discovery forgets whoever is down for half an hour, and without Kubernetes nothing else tells a machine that is "
          + "gone from one that is off: bring it back, or, if it is gone for good, leave it out (--leave-out \(machine.id))"
      )
    }
    let others = access.cluster.machines.filter { $0.id != machine.id }
    let successors = await successors(at: machine, among: others, access)
    do throws(DriverError) {
      let doubt = try await withKubernetes(access) {
        client async throws(DriverError) -> NodeDeparture.Doubt? in
        let nodes = try await client.list("/api/v1/nodes").map(KnownNode.init)
        if let doubt = NodeDeparture.doubt(
          by: nodes, of: machine, others: others, successors: successors)
        {
          return doubt
        }
        // A list may come a moment late; the object itself is asked for as well.
        for name in NodeDeparture.names(of: machine) {
          let path = "/api/v1/nodes/" + KubernetesClient.escaped(name)
          guard try await client.get(path) == nil else { return .itsNode(name) }
        }
        return nil
      }
      return doubt.map { .doubted($0.text(of: machine)) } ?? .proved
    } catch {
      return .doubted(
        "dropped once Kubernetes has no node \(machine.id) either, or, if it is gone for good, once it is left out "
          + "(--leave-out \(machine.id)); Kubernetes cannot be asked now: " + error.message)
    }
  }

  /// The other machines that are known by a machine's address, and have shown that they are there: one that merely refuses
  /// has shown nothing.
  private func successors(
    at machine: Machine, among others: [Machine], _ access: ClusterAccess
  ) async -> [Machine] {
    var found: [Machine] = []
    for other in others
    where other.address == machine.address && !other.identity.isEmpty
      && other.identity != machine.identity
    {
      let answer = try? await withReading(other, access, within: .zero) {
        client async throws(TalosFailure) in try await client.version()
      }
      if answer != nil { found.append(other) }
    }
    return found
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

  /// What keeps it from being known that a machine has left.
  enum Doubt: Hashable {
    case itsNode(String)
    /// A node of another name, at the machine's address or under its host name.
    case nodeAtItsPlace(String, KnownPlace)
    /// No node bears the name and the address of its machine.
    case noControl

    enum KnownPlace: Hashable { case address, hostName }

    func text(of machine: Machine) -> String {
      switch self {
      case .itsNode(let name):
        "dropped once Kubernetes has no node \(name) either (kubectl delete node \(name) if it is gone)"
      case .nodeAtItsPlace(let node, let place):
        "dropped once no node is taken for it any more: node \(node) "
          + (place == .address ? "is at its address \(machine.address)" : "has its host name")
          + ", and no machine that is known has shown that the node is its own (kubectl delete node \(node) if that is "
          + "gone)"
      case .noControl:
        "it cannot be told whether it has left, because no other machine's node bears the name and the address of its "
          + "machine"
      }
    }
  }

  /// Nil where nodes show that the machine has left.
  ///
  /// - Parameters:
  ///   - others: the other machines that are known, of which one at least has to have its node.
  ///   - successors: those of them that have shown that they are at the machine's address now: their nodes are no doubt.
  static func doubt(
    by nodes: [KnownNode], of machine: Machine, others: [Machine], successors: [Machine] = []
  ) -> Doubt? {
    let names = names(of: machine)
    for node in nodes {
      if names.contains(node.name) { return .itsNode(node.name) }
      let owned = successors.contains { Self.names(of: $0).contains(node.name) }
      if !owned, node.addresses.contains(machine.address) {
        return .nodeAtItsPlace(node.name, .address)
      }
      if !node.addresses.isDisjoint(with: names) { return .nodeAtItsPlace(node.name, .hostName) }
    }
    let isControlled = others.contains { other in
      let names = Self.names(of: other)
      return nodes.contains { names.contains($0.name) && $0.addresses.contains(other.address) }
    }
    return isControlled ? nil : .noControl
  }
}
