import Orchestrator
import Rotation

/// The members of a cluster, without those that a person has had left out.
struct Membership: Sendable {
  var machines: [Machine]
  /// Who is left out, a line each for a person.
  var left: [String] = []
  /// The names of those that were asked for and found, left out or not.
  var named: Set<String> = []
  /// Who was to be left out and lets omnid in.
  var present: [Finding] = []
}

/// Machines that a person has said to be gone (`RotationOptions.leftOut`).
extension TalosDriver {
  /// Whether a member is left out: a person has said that it is gone, and nobody is let in as it.
  func leave(
    _ member: ClusterMember, _ leftOut: LeftOutMachines, _ access: ClusterAccess,
    in membership: inout Membership
  ) async -> Bool {
    let known = known(member, access)
    let addresses = member.addresses + [known?.address].compactMap(\.self)
    let port = known?.port ?? access.cluster.machines.first?.port ?? TalosEndpoint.defaultPort
    func machine(_ id: String, _ address: String) -> Machine {
      Machine(
        id: id, address: address, role: known?.role ?? member.role, port: port,
        identity: member.identity)
    }
    // A name by which the record knows another machine means that one.
    let shown = ([member.name] + member.aliases).filter { name in
      !access.cluster.machines.contains {
        $0.id == name && !$0.identity.isEmpty && $0.identity != member.identity
      }
    }
    let names = [known?.id].compactMap(\.self) + shown + [member.identity]
    guard let named = names.map({ machine($0, addresses[0]) }).first(where: leftOut.contains) else {
      return false
    }
    var seen: Set<String> = []
    let places = addresses.filter { seen.insert($0).inserted }.map { machine(named.id, $0) }
    return await leave(named, at: places, leftOut, access, in: &membership)
  }

  /// The same of a machine.
  ///
  /// - Parameter places: the machine at each of the addresses by which it is known.
  func leave(
    _ machine: Machine, at places: [Machine], _ leftOut: LeftOutMachines, _ access: ClusterAccess,
    in membership: inout Membership
  ) async -> Bool {
    guard leftOut.contains(machine) else { return false }
    membership.named.formUnion(leftOut.names.intersection([machine.id, machine.identity]))
    let identity = machine.identity.isEmpty ? "" : " (node id \(machine.identity))"
    if let address = await openAddress(places, access) {
      membership.present.append(
        Finding(
          .notCovered, machine.id,
          "\(machine.id)\(identity) is to be left out, but it lets omnid in at \(address), so it is there and would go on "
            + "with the old CA: switch it off or reset it, or start without --leave-out"))
      return false
    }
    membership.left.append(
      "\(machine.id)\(identity) is left out, as asked: nothing is proved of it, and if it comes back it goes on with the old CA"
    )
    return true
  }

  /// The machines on record that discovery has forgotten without a proof that they have left: it forgets whoever is
  /// switched off, too.
  func forgotten(
    besides membership: Membership, leaving leftOut: LeftOutMachines, _ access: ClusterAccess
  ) async -> (findings: [Finding], left: [String]) {
    let present = Set(membership.machines.flatMap { [$0.id, $0.identity] })
    var findings: [Finding] = []
    var gone = Membership(machines: [], named: membership.named)
    for machine in access.cluster.machines
    where !present.contains(machine.id) && !present.contains(machine.identity)
      && membership.named.isDisjoint(with: [machine.id, machine.identity])
    {
      guard !leftOut.contains(machine) else {
        _ = await leave(machine, at: [machine], leftOut, access, in: &gone)
        continue
      }
      guard case .doubted(let doubt) = await departure(of: machine, access: access) else {
        continue
      }
      findings.append(
        Finding(
          .notCovered, machine.id,
          "\(machine.id) is on record, and cluster discovery does not know it any more; \(doubt)"))
    }
    findings += leftOut.names.subtracting(gone.named).sorted().map { name in
      Finding(
        .notCovered, name,
        "no machine is known as \(name), by name or node id, that could be left out: start without it"
      )
    }
    return (findings + gone.present, gone.left)
  }

  /// The address of the first place where the machine lets in a client of the cluster's authorities; nil where none does.
  func openAddress(_ places: [Machine], _ access: ClusterAccess) async -> String? {
    await concurrently(places) { place -> String? in
      do throws(TalosFailure) {
        _ = try await self.withReading(place, access, within: .zero) {
          client async throws(TalosFailure) in try await client.version()
        }
        return place.address
      } catch { return error.letsNobodyIn ? nil : place.address }
    }.compactMap(\.self).first
  }
}
