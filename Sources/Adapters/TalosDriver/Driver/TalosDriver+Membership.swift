import Crypto
public import Orchestrator
public import Rotation

/// Who is in the cluster.
extension TalosDriver {
  public func members(_ access: ClusterAccess) async throws(DriverError) -> [Machine] {
    let leftOut = access.rotation?.options.leftOut ?? LeftOutMachines()
    return try await membership(access, leaving: leftOut).machines
  }

  /// - Parameter leftOut: whom a person has said to be gone.
  func membership(
    _ access: ClusterAccess, leaving leftOut: LeftOutMachines
  ) async throws(DriverError) -> Membership {
    guard !access.cluster.isListed else {
      return try await listedMembers(access, leaving: leftOut)
    }
    var passed: Set<String> = []
    var failure: DriverError?
    // One control plane may know a control plane that is gone for good, or never was: then another one is asked.
    while true {
      let found: (plane: String, members: [ClusterMember])
      do throws(DriverError) {
        found = try await knownMembers(access, leaving: leftOut, passing: passed)
      } catch { throw failure ?? error }
      do throws(DriverError) {
        return try await membership(of: found.members, access, leaving: leftOut)
      } catch {
        guard error.code == .unreachable else { throw error }
        passed.insert(found.plane)
        failure = failure ?? error
      }
    }
  }

  private func membership(
    of members: [ClusterMember], _ access: ClusterAccess, leaving leftOut: LeftOutMachines
  ) async throws(DriverError) -> Membership {
    var membership = Membership()
    let kept = await keep(members, among: members, leftOut, access, in: &membership)
    // Several at once, each for its time alone: somebody may have announced many that swallow what is sent to them.
    let placed = await concurrently(kept) { member in
      await self.placed(member, among: members, access)
    }
    for (member, place) in zip(kept, placed) {
      let (machine, failure): (Machine?, TalosFailure?)
      do throws(DriverError) { (machine, failure) = try place.get() } catch {
        // That somebody is there who was to be left out says more than why no call is answered.
        throw membership.told[member.identity].map { DriverError(.conflict, $0) } ?? error
      }
      if let machine { membership.machines.append(machine) }
      if let failure { membership.silent[member.identity] = failure }
    }
    return membership
  }

  /// The members as the first control plane that answers knows them. Where that is not all there is to know, with those that
  /// only others know: somebody is to be left out, who is looked for first, or a machine on record is missing.
  ///
  /// - Parameter passed: control planes that are not asked.
  /// - Returns: beside them, who was asked first.
  private func knownMembers(
    _ access: ClusterAccess, leaving leftOut: LeftOutMachines, passing passed: Set<String>
  ) async throws(DriverError) -> (plane: String, members: [ClusterMember]) {
    let planes = access.cluster.controlPlanes.filter { !passed.contains($0.id) }
    var failure = DriverError(
      .unreachable, "cluster \(access.cluster.name) has no control plane")
    var silent: [String] = []
    for (index, plane) in planes.enumerated() {
      let members: [ClusterMember]
      do throws(TalosFailure) { members = try await self.members(of: plane, access) } catch {
        if case .unusable(let unusable) = error { throw unusable }
        if case .unreachable = error { silent.append(plane.id) }
        // What a control plane that answers says of trust and of time tells more than that another one is down.
        if silent.count == planes.count || !error.isSilent {
          failure = words(access).error(plane, error)
        }
        continue
      }
      let found = Set(members.compactMap { known($0, access)?.id })
      guard !leftOut.isEmpty || !access.cluster.machines.allSatisfy({ found.contains($0.id) })
      else { return (plane.id, members) }
      let others = await concurrently(Array(planes.dropFirst(index + 1))) { other in
        try? await self.members(of: other, access)
      }
      return (plane.id, ClusterMember.merged([members] + others.compactMap(\.self)))
    }
    // That one of them does not answer would look like trouble of one machine.
    if silent.count > 1, silent.count == planes.count {
      failure.message =
        "none of the \(silent.count) control planes answers (\(silent.prefix(9).joined(separator: ", "))): "
        + failure.message
    }
    throw failure
  }

  private func members(
    of plane: Machine, _ access: ClusterAccess
  ) async throws(TalosFailure) -> [ClusterMember] {
    try await withReading(plane, access, within: .zero) {
      client async throws(TalosFailure) in try await client.members()
    }
  }

  /// The machine that a member stands for; nil for one that turns out to be another one. With the failure of one that does
  /// not answer anywhere in its time, and is placed where it may answer yet.
  private func placed(
    _ member: ClusterMember, among members: [ClusterMember], _ access: ClusterAccess
  ) async -> Result<(Machine?, TalosFailure?), DriverError> {
    if let machine = unchanged(member, access) { return .success((machine, nil)) }
    let limit = settings.memberTimeout
    let late = "\(member.name) does not answer within \(limit.components.seconds) s"
    do throws(TalosFailure) {
      let machine = try await Deadline.of(limit, late: { late }) { () throws(TalosFailure) in
        try await self.machine(member, among: members, access)
      }
      return .success((machine, nil))
    } catch {
      let place = unproven(member, among: members, access)
      // Whoever claims to be a control plane and does not answer has proved nothing yet.
      if case .unusable(let unusable) = error { return .failure(unusable) }
      guard error.isSilent, !claims(member, access) else {
        var failure = words(access).error(place, error)
        if error.isSilent {
          failure.code = .unreachable
          failure.message +=
            "; if it is gone for good, or none of the cluster's, leave it out (--leave-out \(place.id))"
        }
        return .failure(failure)
      }
      return .success((place, error))
    }
  }
}
