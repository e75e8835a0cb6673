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
  func listedMembers(
    _ access: ClusterAccess, leaving leftOut: LeftOutMachines
  ) async throws(DriverError) -> Membership {
    var membership = Membership()
    let machines = access.cluster.machines
    await settle(machines.filter(leftOut.contains), leftOut, access, in: &membership)
    let gone = Set(membership.gone.map(\.id))
    membership.machines = try await listed(machines.filter { !gone.contains($0.id) }, access)
    return membership
  }

  private func listed(
    _ machines: [Machine], _ access: ClusterAccess
  ) async throws(DriverError) -> [Machine] {
    var machines = machines
    guard access.cluster.authorities[.kubernetesCA] != nil else { return machines }
    let nodes: [KnownNode]
    switch await self.nodes(access) {
    case .success(let found):
      nodes = found
      if let change = access.rotation { noteRecovered(Coverage.unreadyNodes, change, access) }
    case .failure(let error):
      guard let change = access.rotation, !mayMissNodes(change, access) else { return machines }
      if case .passed? = await expiredKubernetes(change, access) { return machines }
      // Somebody may have joined who must not be left behind.
      throw DriverError(
        error.code, "\(unlisted(error, change, access)); they tell who is in the cluster")
    }
    let known = Coverage.nodes(nodes, of: machines)
    if access.rotation != nil {
      let asked = machines
      let standings = await concurrently(asked) { await self.presence(of: $0, access) }
      for (machine, presence) in zip(asked, standings) {
        let node = known.managed.first { $0.0.id == machine.id }?.1
        switch (presence, node) {
        case (.silent, nil): machines.removeAll { $0.id == machine.id }
        case (.another, let node?):
          guard let replacement = try await newcomer(node, as: machine.id, machines, access) else {
            continue
          }
          machines.removeAll { $0.id == machine.id }
          machines.append(replacement)
        case (.silent, _), (.another, nil), (.itself, _): continue
        }
      }
    }
    for node in known.unmanaged.prefix(Self.newcomerLimit) {
      if let machine = try await newcomer(node, as: node.name, machines, access) {
        machines.append(machine)
      }
    }
    return machines
  }

  private enum Presence: Sendable { case itself, another, silent }

  /// Who answers at a machine's address.
  private func presence(of machine: Machine, _ access: ClusterAccess) async -> Presence {
    do throws(TalosFailure) {
      _ = try await withReading(machine, access, within: .zero) {
        client async throws(TalosFailure) in try await client.version()
      }
      return .itself
    } catch {
      switch error {
      case .unreachable: return .silent
      case .misdirected: return .another
      // One that refuses is there.
      case .rejected, .untrusted, .status, .unusable: return .itself
      }
    }
  }

  /// How many unknown nodes are asked at each look.
  private static let newcomerLimit = 32

  /// The machine that answers at a node's address. Nil where a machine does that is known already, or no Talos machine at
  /// all: the node is told of then as one that nobody answers for.
  private func newcomer(
    _ node: KnownNode, as name: String, _ known: [Machine], _ access: ClusterAccess
  ) async throws(DriverError) -> Machine? {
    do throws(TalosFailure) {
      return try await asked(node, as: name, known, access)
    } catch {
      if case .unusable(let unusable) = error { throw unusable }
      return nil
    }
  }

  private func asked(
    _ node: KnownNode, as name: String, _ known: [Machine], _ access: ClusterAccess
  ) async throws(TalosFailure) -> Machine? {
    let port = access.cluster.machines.first?.port ?? TalosEndpoint.defaultPort
    var failure = TalosFailure.unreachable("\(PeerText.clean(node.name)) has no address")
    // What a kubelet has registered is anything that it likes.
    guard let name = PeerText.hostName(name) else { throw failure }
    for address in node.internalAddresses.filter(NetworkAddress.looksLikeAddress).prefix(4) {
      let candidate = Machine(
        id: name, address: address, role: .worker, port: port, identity: "")
      do throws(TalosFailure) {
        let member = try await withMachine(candidate, access, within: .zero) {
          client async throws(TalosFailure) -> ClusterMember? in
          guard let text = try await client.identity(), let identity = PeerText.identity(text)
          else { return nil }
          let config = try await client.machineConfig()
          return ClusterMember(
            name: name, identity: identity,
            isControlPlane: await ListedRole.isControlPlane(config), addresses: [address])
        }
        guard let member else { continue }
        guard !known.contains(where: { $0.identity == member.identity }) else {
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
