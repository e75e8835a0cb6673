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
  /// The same, in words, by node identity.
  var told: [String: String] = [:]
  /// The node identities of those that are left out.
  var excused: Set<String> = []
  /// Who is left out, or gone by a proof, at each address by which it was known.
  var gone: [Machine] = []
  /// Of those among `machines` that do not answer anywhere, why, by node identity.
  var silent: [String: TalosFailure] = [:]

  /// Takes over what has come of a machine that was to be left out.
  ///
  /// - Parameters:
  ///   - places: where it was looked for; none: at its address.
  ///   - place: where it was found; nil: nowhere.
  /// - Returns: whether it is left out.
  mutating func settle(
    _ machine: Machine, at places: [Machine] = [], foundAt place: String?,
    _ leftOut: LeftOutMachines
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
      if !machine.identity.isEmpty { told[machine.identity] = present.last?.message }
      return false
    }
    gone += places.isEmpty ? [machine] : places
    if !machine.identity.isEmpty { excused.insert(machine.identity) }
    left.append(
      "\(machine.id)\(identity) is left out, as asked: nothing is proved of it, and if it comes back it goes on with the old CA"
    )
    return true
  }
}

/// Machines that a person has said to be gone (`RotationOptions.leftOut`).
extension TalosDriver {
  /// The members that are not left out: those that nobody has said to be gone, and those that are there.
  ///
  /// - Parameter all: all members that are known, which tell whose a name is.
  func keep(
    _ members: [ClusterMember], among all: [ClusterMember], _ leftOut: LeftOutMachines,
    _ access: ClusterAccess, in membership: inout Membership
  ) async -> [ClusterMember] {
    guard !leftOut.isEmpty else { return members }
    let meant = members.map { self.meant($0, among: all, leftOut, access) }
    let places = zip(meant, members).map { machine, member in
      machine.map { Self.places(of: $0, member) } ?? []
    }
    let found = await concurrently(places, limit: Self.tracesAtOnce) {
      await self.trace(of: $0, access)
    }
    var kept: [ClusterMember] = []
    for (index, member) in members.enumerated() {
      if let machine = meant[index],
        membership.settle(machine, at: places[index], foundAt: found[index], leftOut)
      {
        continue
      }
      kept.append(member)
    }
    return kept
  }

  /// How many machines are looked for at once. Most do not answer, which costs nothing but time.
  static let tracesAtOnce = 32

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
  static func places(of machine: Machine, _ member: ClusterMember) -> [Machine] {
    var seen: Set<String> = []
    let addresses = [machine.address] + member.addresses + member.otherAddresses
    return addresses.filter { seen.insert($0).inserted }.map {
      var place = machine
      place.address = $0
      return place
    }
  }

  /// Settles what was said of members that control planes know beyond the machines: they are looked for before they are
  /// excused, because who is not rotated goes on with the old authority.
  ///
  /// - Parameter membership: takes over what has come of it; who is settled there is not looked for again.
  func settle(
    _ views: [Coverage.View], beyond machines: [Machine], _ leftOut: LeftOutMachines,
    _ access: ClusterAccess, in membership: inout Membership
  ) async {
    guard !leftOut.isEmpty else { return }
    let members = ClusterMember.merged(views.map(\.members))
    let known = Set(machines.map(\.identity)).union(membership.excused)
    let further = members.filter { !known.contains($0.identity) }
    _ = await keep(further, among: members, leftOut, access, in: &membership)
  }

  /// Looks for machines on record that are to be left out, at the addresses at which they are known.
  func settle(
    _ machines: [Machine], _ leftOut: LeftOutMachines, _ access: ClusterAccess,
    in membership: inout Membership
  ) async {
    let found = await concurrently(machines, limit: Self.tracesAtOnce) {
      await self.trace(of: [$0], access)
    }
    for (machine, place) in zip(machines, found) {
      _ = membership.settle(machine, foundAt: place, leftOut)
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
    await settle(missing.filter(leftOut.contains), leftOut, access, in: &membership)
    // Who has come since tells whose the nodes are.
    let machines = membership.machines
    let others = missing.filter { !leftOut.contains($0) }
    let findings = await concurrently(others) { machine -> Finding? in
      var asked = access
      asked.cluster.machines = machines + [machine]
      return await self.absence(of: machine, asked)
    }
    membership.gone += zip(others, findings).filter { $0.1 == nil }.map(\.0)
    return findings.compactMap(\.self)
  }

  /// What keeps a machine on record that discovery has forgotten from being taken for gone; nil where it is gone.
  func absence(of machine: Machine, _ access: ClusterAccess) async -> Finding? {
    guard case .doubted(let doubt) = await departure(of: machine, access: access) else {
      return nil
    }
    return Finding(
      .notCovered, machine.id,
      "\(machine.id) is on record, and cluster discovery does not know it any more; \(doubt)")
  }
}
