import Crypto
public import Orchestrator
public import Rotation

/// What a start asks before anything is recorded.
extension TalosDriver {
  public func preflight(
    _ component: SecretComponent, options: RotationOptions, access: ClusterAccess
  ) async throws(DriverError) -> Preflight {
    var context = try preflightContext(component, options, access)
    var membership = try await membership(access, leaving: options.leftOut)
    let machines = membership.machines
    var reached = access
    reached.cluster.machines = machines
    let hasKubernetes = context.authorities[.kubernetesCA] != nil
    let silent = membership.silent
    var looks = await inspect(machines, reached, hasKubernetes: hasKubernetes, silent: silent)
    let validity = AuthorityValidity(context)
    var findings = validity.findings
    var inspected: [MachineInspection] = []
    // They hold keys.
    defer { for index in inspected.indices { inspected[index].wipe() } }
    for (machine, look) in zip(machines, looks) {
      switch look {
      case .success(let seen):
        notePort(in: seen.active, of: machine, access)
        inspected.append(seen)
      case .failure(let failure):
        findings.append(words(access).finding(machine, failure))
      }
    }
    looks = []
    for plane in inspected where plane.machine.role == .controlPlane {
      plane.addAuthorities(to: &context)
    }
    for seen in inspected { findings += await seen.findings(context) }
    let views = inspected.filter { $0.machine.role == .controlPlane }.map {
      Coverage.View(plane: $0.machine.id, members: $0.members)
    }
    await settle(views, beyond: machines, options.leftOut, access, in: &membership)
    findings += Coverage.findings(
      machines, seenBy: views, isListed: access.cluster.isListed, excused: membership.excused)
    let absent = await forgotten(besides: &membership, leaving: options.leftOut, access)
    let endpoints = await endpointFindings(
      machines, access, leaving: options.leftOut, gone: membership.gone)
    findings += endpoints.findings
    var preflight = Preflight(
      machines: machines.sorted(by: RolloutPolicy.precedes), findings: findings)
    preflight.earliestClock = inspected.compactMap(\.clock?.machine).min()
    if hasKubernetes { await lookAtKubernetes(&preflight, component, reached, inspected) }
    preflight.findings += absent + membership.present
    preflight.leftOut = LeftOutMachines(identities: membership.named)
    preflight.goneEndpoints = endpoints.gone
    preflight.notes +=
      validity.notes + clockNotes(inspected) + diskNotes(inspected) + membership.left
      + endpoints.notes
    preflight.notes += options.leftOut.unknown(
      besides: Set(membership.named.keys).union(endpoints.named))
    return preflight
  }

  private func preflightContext(
    _ component: SecretComponent, _ options: RotationOptions, _ access: ClusterAccess
  ) throws(DriverError) -> PreflightContext {
    var context = PreflightContext(
      component: component, options: options, authorities: [:], rehearsals: [],
      now: Instant(secondsSince1970: now()))
    for (component, sealed) in access.cluster.authorities {
      let certificate = try keyring.certificate(sealed)
      context.authorities[component] = certificate
      do throws(CryptoError) {
        context.rehearsals.append(try .standIn(component, old: certificate, now: now()))
      } catch {
        throw DriverError(.internalError, "an authority cannot be made: \(error.message)")
      }
    }
    return context
  }

  /// Asks every machine, several at a time; the answers in the order of the machines.
  ///
  /// - Parameter silent: why machines do not answer that have just been asked in vain, by node identity.
  func inspect(
    _ machines: [Machine], _ access: ClusterAccess, hasKubernetes: Bool,
    silent: [String: TalosFailure]
  ) async -> [Result<MachineInspection, TalosFailure>] {
    await concurrently(machines) { machine in
      if let failure = silent[machine.identity] { return .failure(failure) }
      do throws(TalosFailure) {
        return .success(
          try await self.withReading(machine, access, within: .seconds(1)) {
            client async throws(TalosFailure) in
            try await MachineInspection.read(
              client, machine, hasKubernetes: hasKubernetes, now: self.now)
          })
      } catch { return .failure(error) }
    }
  }

  private func diskNotes(_ inspected: [MachineInspection]) -> [String] {
    let silent = inspected.filter { $0.persistent == nil }.map(\.machine.id)
    guard let first = silent.first else { return [] }
    let more = silent.count > 1 ? " and \(silent.count - 1) more" : ""
    return [
      "\(first)\(more): Talos before 1.10 does not show what is on the disk, so a configuration that is staged or being "
        + "tried there is not seen: the first change would make the one permanent and lose the other"
    ]
  }

  private func clockNotes(_ inspected: [MachineInspection]) -> [String] {
    let silent = inspected.filter { $0.clock == nil }.map(\.machine.id)
    guard let first = silent.first else { return [] }
    let more = silent.count > 1 ? " and \(silent.count - 1) more" : ""
    return [
      "the clocks of \(first)\(more) could not be read, because they reach no time server: make sure that "
        + "they are right"
    ]
  }
}
