import Crypto
public import Orchestrator
public import Rotation

/// Finding the machines.
extension TalosDriver {
  public func unreachable(_ machines: [Machine], access: ClusterAccess) async -> Set<String> {
    Set(
      await concurrently(machines) { machine -> String? in
        do throws(TalosFailure) {
          _ = try await self.withReading(machine, access, within: .zero) {
            client async throws(TalosFailure) in try await client.version()
          }
          return nil
        } catch {
          // One that refuses, or is not who it should be, is there.
          if case .unreachable = error { return machine.id }
          return nil
        }
      }.compactMap { $0 })
  }

  /// Nil for a member that turns out to be another one: a record that discovery has not forgotten yet.
  func machine(
    _ member: ClusterMember, among members: [ClusterMember], _ access: ClusterAccess
  ) async throws(TalosFailure) -> Machine? {
    if let machine = unchanged(member, access) { return machine }
    let known = known(member, access)
    let claims = claims(member, access)
    if let known, claims, !known.identity.isEmpty {
      throw .unusable(
        DriverError(
          .conflict,
          "\(known.id) (\(known.address)) calls itself a control plane, but the record has it as a worker, and a machine "
            + "that was set up anew has another node identity: whoever has the CA's key may show it; no key is sent "
            + "to it; reset it, or remove it from the cluster"))
    }
    let others = members.filter { $0.identity != member.identity }.flatMap(\.addresses)
    let candidates = candidates(member, among: members, access)
    var failures: [TalosFailure] = []
    for candidate in candidates {
      do throws(TalosFailure) {
        let isProven = try await withMachine(candidate, access, within: .zero) {
          client async throws(TalosFailure) in
          claims ? try await self.proveControlPlane(candidate, client, access) : true
        }
        // Left out, and named by the check of coverage. The list goes on: who else has joined or left has to be known.
        return isProven ? candidate : nil
      } catch {
        if case .unusable = error { throw error }
        failures.append(error)
      }
    }
    let isAnother = failures.allSatisfy { if case .misdirected = $0 { true } else { false } }
    if isAnother, known == nil, member.addresses.allSatisfy(others.contains) { return nil }
    // Whoever claims to be a control plane and does not answer has proved nothing yet.
    if claims, let failure = failures.last { throw failure }
    return unproven(member, among: members, access)
  }

  /// The machine on record that a member is, where discovery names the address at which it is known.
  func unchanged(_ member: ClusterMember, _ access: ClusterAccess) -> Machine? {
    guard let known = known(member, access), !claims(member, access), !known.identity.isEmpty,
      member.addresses.contains(known.address)
    else { return nil }
    return known
  }

  /// A member that has not answered, at the address at which it may answer yet.
  func unproven(
    _ member: ClusterMember, among members: [ClusterMember], _ access: ClusterAccess
  ) -> Machine {
    if let known = known(member, access), member.addresses.contains(known.address) { return known }
    var machine = candidates(member, among: members, access)[0]
    if known(member, access) == nil {
      machine.id = Self.freeName(of: member, among: members, access)
    }
    return machine
  }

  /// The machine that a member stands for at each of its addresses, as it is recorded if it answers there, in the order of
  /// trying.
  private func candidates(
    _ member: ClusterMember, among members: [ClusterMember], _ access: ClusterAccess
  ) -> [Machine] {
    let known = known(member, access)
    let others = members.filter { $0.identity != member.identity }.flatMap(\.addresses)
    let port = access.cluster.machines.first?.port ?? TalosEndpoint.defaultPort
    // A machine does not change its role without being set up anew, and then it has another identity.
    let role = known?.role == .controlPlane ? .controlPlane : member.role
    return VirtualAddresses.last(
      member.addresses, endpoint: access.cluster.kubernetesEndpoint, others: others
    ).map { address in
      Machine(
        id: known?.id ?? Self.freeName(of: member, among: members, access, answersAt: address),
        address: address, role: role, port: known?.port ?? port, identity: member.identity)
    }
  }

  /// Whether a member calls itself a control plane that is none on record.
  func claims(_ member: ClusterMember, _ access: ClusterAccess) -> Bool {
    member.role == .controlPlane && known(member, access)?.role != .controlPlane
  }

  /// The machine on record that a member is.
  func known(_ member: ClusterMember, _ access: ClusterAccess) -> Machine? {
    access.cluster.machines.first { $0.identity == member.identity }
      // Records of release 0.1.0 know machines by name alone.
      ?? access.cluster.machines.first { $0.identity.isEmpty && $0.id == member.name }
  }

  /// The name under which a machine that is not known is recorded: its own, unless it is another one's that is there still,
  /// or may be.
  ///
  /// - Parameter answersAt: the address at which the machine itself answers; nil: at none that is known.
  static func freeName(
    of member: ClusterMember, among members: [ClusterMember], _ access: ClusterAccess,
    answersAt address: String? = nil
  ) -> String {
    let isTaken = access.cluster.machines.contains { machine in
      machine.id == member.name && !machine.identity.isEmpty
        && machine.identity != member.identity
        && isThere(machine, beside: member, among: members, access, answersAt: address)
    }
    return isTaken ? "\(member.name)@\(member.addresses[0])" : member.name
  }

  /// Whether a machine on record is there still, or may be, beside a newcomer of its name: discovery names it under another
  /// name, or it may be merely off. With Kubernetes the node of that name is the newcomer's, so the machine before is gone; without,
  /// only the newcomer at its address shows that.
  static func isThere(
    _ machine: Machine, beside member: ClusterMember, among members: [ClusterMember],
    _ access: ClusterAccess, answersAt address: String? = nil
  ) -> Bool {
    members.contains { $0.identity == machine.identity }
      || (access.cluster.authorities[.kubernetesCA] == nil && machine.address != address)
  }

  /// A control plane is what holds the private key of the authority that its configuration issues from: not
  /// what calls itself one, as every machine can that has the cluster's secret.
  ///
  /// - Returns: false for one that holds the key of the authority that goes, in the stage in which machines begin to
  ///   refuse that authority: its key may be somebody else's too, and no newcomer needs it any more.
  /// - Throws: `.conflict` for one that has proved nothing.
  private func proveControlPlane(
    _ machine: Machine, _ client: TalosClient, _ access: ClusterAccess
  ) async throws(TalosFailure) -> Bool {
    let roots: [Certificate]
    let dropped: Certificate?
    do throws(DriverError) {
      dropped = try access.rotation.flatMap { change throws(DriverError) in
        change.component == .talosCA && change.dropsAuthority
          ? try keyring.certificate(change.direction == .forward ? change.old : change.new) : nil
      }
      roots = try ClusterTrust(.talosCA, access, keyring).roots
    } catch { throw .unusable(error) }
    let bytes = try await client.machineConfig()
    let proof = await ControlPlaneProof.examine(bytes, roots: roots)
    if proof == .holdsKey, let dropped {
      return await ControlPlaneProof.examine(bytes, roots: roots.filter { $0 != dropped })
        == .holdsKey
    }
    guard proof == .holdsKey else {
      throw .unusable(
        DriverError(
          .conflict,
          "\(machine.id) (\(machine.address)) calls itself a control plane, but \(proof.text): no key is "
            + "sent to it; if it is to be one, set it up with this cluster's secrets, else remove it"
        ))
    }
    return true
  }
}

/// Whether a configuration shows that its machine is a control plane.
enum ControlPlaneProof: Sendable {
  case holdsKey
  case isWorker
  case holdsNoKey
  case issuesFromElse

  @concurrent
  static func examine(_ bytes: [UInt8], roots: [Certificate]) async -> ControlPlaneProof {
    guard let config = try? MachineConfig(bytes) else { return .holdsNoKey }
    guard config.role == .controlPlane else { return .isWorker }
    guard let trust = try? config.trust(.talosCA), let issuing = trust.issuing,
      let key = trust.issuingKey, KeyProof.holds(key, for: issuing)
    else { return .holdsNoKey }
    return roots.contains(issuing) ? .holdsKey : .issuesFromElse
  }

  var text: String {
    switch self {
    case .holdsKey: "it holds the CA's key"
    case .isWorker: "its configuration is a worker's"
    case .holdsNoKey: "its configuration does not hold the private key of the CA it issues from"
    case .issuesFromElse: "it issues from a CA that is not this cluster's"
    }
  }
}
