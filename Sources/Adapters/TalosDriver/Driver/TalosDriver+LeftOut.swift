import Crypto
import Orchestrator
import Rotation

/// The members of a cluster, without those that a person has had left out.
struct Membership: Sendable {
  var machines: [Machine] = []
  /// Who is left out, a line each for a person.
  var left: [String] = []
  /// What was said of machines that were found, each name bound to its machine.
  var named: [String: String] = [:]
  /// Who was to be left out and is there.
  var present: [Finding] = []

  /// Takes over what has come of a machine that was to be left out.
  ///
  /// - Parameter place: where it was found; nil: nowhere.
  /// - Returns: whether it is left out.
  mutating func settle(
    _ machine: Machine, foundAt place: String?, _ leftOut: LeftOutMachines
  ) -> Bool {
    for name in leftOut.names.subtracting(leftOut.beyond([machine])) {
      named[name] = machine.identity
    }
    let identity = machine.identity.isEmpty ? "" : " (node id \(machine.identity))"
    if let place {
      present.append(
        Finding(
          .notCovered, machine.id,
          "\(machine.id)\(identity) is to be left out, but \(place), so it is there and would go on with the old CA: switch "
            + "it off or reset it, or start without --leave-out"))
      return false
    }
    left.append(
      "\(machine.id)\(identity) is left out, as asked: nothing is proved of it, and if it comes back it goes on with the old CA"
    )
    return true
  }
}

/// Machines that a person has said to be gone (`RotationOptions.leftOut`).
extension TalosDriver {
  /// The members that are not left out: those that nobody has said to be gone, and those that are there.
  func keep(
    _ members: [ClusterMember], _ leftOut: LeftOutMachines, _ access: ClusterAccess,
    in membership: inout Membership
  ) async -> [ClusterMember] {
    guard !leftOut.isEmpty else { return members }
    let meant = members.map { self.meant($0, among: members, leftOut, access) }
    let found = await concurrently(Array(members.indices)) { index -> String? in
      guard let machine = meant[index] else { return nil }
      return await self.trace(of: self.places(of: machine, members[index], access), access)
    }
    var kept: [ClusterMember] = []
    for (index, member) in members.enumerated() {
      if let machine = meant[index],
        membership.settle(machine, foundAt: found[index], leftOut)
      {
        continue
      }
      kept.append(member)
    }
    return kept
  }

  /// The machine that a member stands for, where a person has said that it is gone; nil where not.
  private func meant(
    _ member: ClusterMember, among members: [ClusterMember], _ leftOut: LeftOutMachines,
    _ access: ClusterAccess
  ) -> Machine? {
    let known = known(member, access)
    // A name that means another machine is not this one's.
    let isTaken = { name in
      access.cluster.machines.contains {
        $0.id == name && !$0.identity.isEmpty && $0.identity != member.identity
          && Self.isThere($0, beside: member, among: members, access)
      }
    }
    let names =
      [known?.id ?? Self.freeName(of: member, among: members, access)]
      + ([member.name] + member.aliases).filter { !isTaken($0) }
    return names.map {
      Machine(
        id: $0, address: known?.address ?? member.addresses[0], role: known?.role ?? member.role,
        port: known?.port ?? access.cluster.machines.first?.port ?? TalosEndpoint.defaultPort,
        identity: member.identity)
    }.first(where: leftOut.contains)
  }

  /// A machine at each of the addresses by which it is known.
  private func places(
    of machine: Machine, _ member: ClusterMember, _ access: ClusterAccess
  ) -> [Machine] {
    var seen: Set<String> = []
    return ([machine.address] + member.addresses).filter { seen.insert($0).inserted }.map {
      var place = machine
      place.address = $0
      return place
    }
  }

  /// The machines on record that discovery has forgotten without a proof that they have left: it forgets whoever is
  /// switched off, too.
  ///
  /// - Parameter membership: takes over what has come of those that are to be left out.
  func forgotten(
    besides membership: inout Membership, leaving leftOut: LeftOutMachines, _ access: ClusterAccess
  ) async -> [Finding] {
    let present = Set(membership.machines.flatMap { [$0.id, $0.identity] })
    let settled = Set(membership.named.values)
    let missing = access.cluster.machines.filter {
      !present.contains($0.id) && !present.contains($0.identity)
        && ($0.identity.isEmpty || !settled.contains($0.identity))
    }
    for machine in missing where leftOut.contains(machine) {
      let place = await trace(of: [machine], access)
      _ = membership.settle(machine, foundAt: place, leftOut)
    }
    // Who has come since tells whose the nodes are.
    let machines = membership.machines
    return await concurrently(missing.filter { !leftOut.contains($0) }) { machine -> Finding? in
      var asked = access
      asked.cluster.machines = machines + [machine]
      guard case .doubted(let doubt) = await self.departure(of: machine, access: asked) else {
        return nil
      }
      return Finding(
        .notCovered, machine.id,
        "\(machine.id) is on record, and cluster discovery does not know it any more; \(doubt)")
    }.compactMap(\.self)
  }

  /// What shows that a machine of the cluster is there, at the first place where something does; nil where nothing does.
  ///
  /// A worker is asked through the control planes and directly: from ROTATE on one that was left behind refuses what control
  /// planes present, and lets in a client of the old authority.
  func trace(of places: [Machine], _ access: ClusterAccess) async -> String? {
    await concurrently(places) { place -> String? in
      var failures: [TalosFailure] = []
      do throws(TalosFailure) {
        _ = try await self.withReading(place, access, within: .zero) {
          client async throws(TalosFailure) in try await client.version()
        }
        return "it lets omnid in at \(place.address)"
      } catch { failures.append(error) }
      // What stood in the way to a worker may have been a control plane's own trouble.
      let isRelayed = place.role == .worker
      if isRelayed {
        for tls in (try? self.tlsClients(access)) ?? [] {
          do throws(TalosFailure) {
            _ = try await self.call(place, for: place, tls, isReading: true) {
              client async throws(TalosFailure) in try await client.version()
            }
            return "it lets omnid in at \(place.address)"
          } catch { failures.append(error) }
        }
      }
      let own = failures.enumerated().contains { index, failure in
        !failure.isNobodyOfOurs && !(index == 0 && isRelayed && failure.isAboutTrust)
      }
      if own {
        return "a machine of the cluster answers at \(place.address)"
      }
      // Where this host has no way to the machine itself, a control plane's word is all that there is.
      let isCutOff = failures.dropFirst().allSatisfy(\.isSilent)
      return isCutOff && failures.contains(where: \.tellsOfTLS)
        ? "a machine answers a control plane at \(place.address), where this host has no way to it"
        : nil
    }.compactMap(\.self).first
  }
}
