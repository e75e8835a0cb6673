import Crypto
import Orchestrator
import ProtoCodec
import Rotation

/// The members of a cluster whose discovery is off.
extension TalosDriver {
  /// The machines on record, with those that have joined since as Kubernetes nodes. In the midst of a rotation one that
  /// answers no more, and whose node is gone, is left out.
  ///
  /// A node says where to ask, and no more: whatever answers there has to show a certificate of the cluster's Talos CA, and is a
  /// worker unless it holds the key.
  func listedMembers(_ access: ClusterAccess) async throws(DriverError) -> [Machine] {
    var machines = access.cluster.machines
    guard access.cluster.authorities[.kubernetesCA] != nil,
      case .success(let nodes) = await nodes(access)
    else { return machines }
    let known = Coverage.nodes(nodes, of: machines)
    if access.rotation != nil {
      let present = Set(known.managed.map(\.0.id))
      let silent = await unreachable(
        machines.filter { !present.contains($0.id) }, access: access)
      machines.removeAll { silent.contains($0.id) }
    }
    for node in known.unmanaged.prefix(Self.newcomerLimit) {
      do throws(TalosFailure) {
        if let machine = try await newcomer(node, access) { machines.append(machine) }
      } catch {
        if case .unusable(let unusable) = error { throw unusable }
        // No Talos machine answers there: the node is told of as one that nobody answers for.
      }
    }
    return machines
  }

  /// How many unknown nodes are asked at each look.
  private static let newcomerLimit = 32

  /// Nil where a machine answers that is on record already.
  private func newcomer(
    _ node: KnownNode, _ access: ClusterAccess
  ) async throws(TalosFailure) -> Machine? {
    let port = access.cluster.machines.first?.port ?? TalosEndpoint.defaultPort
    var failure = TalosFailure.unreachable("\(PeerText.clean(node.name)) has no address")
    for address in node.internalAddresses.prefix(4) {
      let candidate = Machine(
        id: node.name, address: address, role: .worker, port: port, identity: "")
      do throws(TalosFailure) {
        let member = try await withMachine(candidate, access, within: .zero) {
          client async throws(TalosFailure) -> ClusterMember? in
          guard let text = try await client.identity(), let identity = PeerText.identity(text)
          else { return nil }
          let config = try await client.machineConfig()
          return ClusterMember(
            name: node.name, identity: identity,
            isControlPlane: await ListedRole.isControlPlane(config), addresses: [address])
        }
        guard let member else { continue }
        guard !access.cluster.machines.contains(where: { $0.identity == member.identity }) else {
          return nil
        }
        return try await machine(member, among: [member], access)
      } catch {
        if case .unusable = error { throw error }
        failure = error
      }
    }
    throw failure
  }
}

private enum ListedRole {
  /// What a machine's configuration says; whether that is true is found out before a key is sent.
  @concurrent
  static func isControlPlane(_ config: [UInt8]) async -> Bool {
    (try? MachineConfig(config))?.role == .controlPlane
  }
}
