import Crypto
import Orchestrator
import Rotation

/// `new-client-accepted`, `client-accepted`, `old-client-accepted` and `old-refused`: what a machine's apid accepts, seen
/// from a client.
extension TalosDriver {
  /// Dials a machine by itself as the client that is newest to it, against the authority it issues from alone.
  ///
  /// Through a control plane nothing would be proved: it presents its own certificate. A control plane is read over
  /// the same connection, so that what is read comes from whoever took the client.
  ///
  /// - Returns: what was read, where the client was taken; nil of workers, which are read through a control plane.
  /// - Throws: what has nothing to do with who trusts whom.
  func observe(
    _ look: MachineLook, _ trust: ChangeTrust
  ) async throws(TalosFailure) -> (seen: TalosObservation?, control: Result<Void, TalosFailure>) {
    let (machine, newest) = (look.machine, trust.newest)
    guard machine.role == .controlPlane else {
      return (nil, await dial(machine, as: newest, trusting: [trust.issuing]))
    }
    let tls: TLSClient
    do {
      tls = try keyring.client(.talos(roles: ["os:admin"]), from: newest, trusting: [trust.issuing])
    } catch { throw .unusable(error) }
    do throws(TalosFailure) {
      return try await retrying(for: settings.retryWindow) { () throws(TalosFailure) in
        do throws(TalosFailure) {
          let seen = try await self.call(machine, for: machine, tls, isReading: true) {
            client async throws(TalosFailure) in
            try await TalosObservation.read(client, isControlPlane: true)
          }
          return (seen, .success(()))
        } catch {
          guard error.isAboutTrust || error.isCutOff else { throw error }
          return (nil, .failure(error))
        }
      }
    } catch { throw Routes.summary(of: [error], to: machine, relays: 1) ?? error }
  }

  /// The cheapest look at a machine that is to drop an authority: whether it still takes a client of it. Nil where it
  /// does not, and where no authority is dropped.
  func clientBefore(_ look: MachineLook, _ trust: ChangeTrust) async -> CheckResult? {
    guard let dropped = trust.dropped.first else { return nil }
    let authority = dropped == trust.old ? look.change.old : look.change.new
    let answer = await dial(look.machine, as: authority, trusting: [trust.issuing])
    guard case .success = answer else { return nil }
    return RefusalProof.stillIn
  }

  /// What is said of a machine that has not taken the change up yet, as its handshake shows; nil where that shows
  /// nothing of the kind.
  func notYet(
    _ control: Result<Void, TalosFailure>, _ look: MachineLook, _ trust: ChangeTrust
  ) -> CheckResult? {
    guard case .failure(let failure) = control, failure.isAboutTrust else { return nil }
    return acceptance(
      trust.acceptanceName(look.change), control, look.machine, look.change, trust.newest)
  }

  /// What a machine's apid accepts, by connections that were dialled at it.
  ///
  /// - Parameter first: how the client fared that is newest to the machine, before the machine was read.
  func probeTalos(
    _ look: MachineLook, _ trust: ChangeTrust, _ first: Result<Void, TalosFailure>
  ) async -> [CheckResult] {
    let (change, machine) = (look.change, look.machine)
    let issuing = [trust.issuing]
    let name = trust.acceptanceName(change)
    let (newest, other) = (trust.newest, trust.other)
    var control = first
    // What failed before the machine was read may have been apid's restart: it answers by now.
    if case .failure = first {
      control = await dial(machine, as: newest, trusting: issuing)
    }
    if machine.role == .worker, case .failure(let failure) = control, failure.isNoConnection {
      return [
        CheckResult(
          name, .notApplicable,
          "not reachable directly; what its apid accepts was read through a control plane")
      ]
    }
    var results = [acceptance(name, control, machine, change, newest)]
    if trust.accepted.count > 1, results[0].state == .passed {
      if let unasked = unasked(.oldClientAccepted, other) { return results + [unasked] }
      let answer = await dial(machine, as: other, trusting: issuing)
      results.append(acceptance(.oldClientAccepted, answer, machine, change, other))
    }
    if !trust.dropped.isEmpty {
      let dropped = trust.dropped.contains(trust.old) ? change.old : change.new
      if let unasked = await unasked(.oldRefused, dropped, by: machine, look.access) {
        return results + [unasked]
      }
      results.append(
        await RefusalProof.check(
          control: control, accepted: { await self.dial(machine, as: newest, trusting: issuing) },
          dropped: { await self.dial(machine, as: dropped, trusting: issuing) },
          isBound: look.occasion == .gate))
    }
    return results
  }

  private func acceptance(
    _ name: CheckName, _ answer: Result<Void, TalosFailure>, _ machine: Machine,
    _ change: TrustChange, _ authority: SealedAuthority
  ) -> CheckResult {
    let which = authority == change.new ? "new" : "old"
    switch answer {
    case .success: return CheckResult(name, .passed, "a client of the \(which) CA is let in")
    case .failure(let failure):
      let reason =
        failure.isAboutTime
        ? words(authority).text(machine, failure) : Routes.plain(failure.message)
      return CheckResult(
        name, .waiting, "a client of the \(which) CA is not let in yet: \(reason)")
    }
  }

  /// The words for a probe as a client of one authority.
  private func words(_ authority: SealedAuthority) -> FailureWords {
    let own = try? keyring.identity(.talos(roles: ["os:reader"]), from: authority).certificate
    return FailureWords(
      credentials: .rotation(authority.binding.cluster), known: [authority.fingerprint],
      valid: own.map {
        (Instant(secondsSince1970: $0.notBefore), Instant(secondsSince1970: $0.notAfter))
      }, now: Instant(secondsSince1970: now()))
  }

  /// One call on a fresh connection.
  func dial(
    _ machine: Machine, as authority: SealedAuthority, trusting roots: [Certificate]
  ) async -> Result<Void, TalosFailure> {
    let endpoint = TalosEndpoint(host: machine.address, port: machine.port)
    let timeout = machine.role == .worker ? settings.probeTimeout : settings.callTimeout
    do throws(TalosFailure) {
      let tls: TLSClient
      do {
        tls = try keyring.client(.talos(roles: ["os:reader"]), from: authority, trusting: roots)
      } catch { throw .unusable(error) }
      return .success(
        try await TalosConnection.with(endpoint, tls, timeout: timeout) {
          rpc throws(TalosFailure) in
          let client = TalosClient(rpc: rpc, node: nil, timeout: timeout)
          // A shared address is answered by another machine, which proves nothing of this one.
          guard machine.identity.isEmpty else {
            return try await client.requireIdentity(of: machine)
          }
          _ = try await client.version()
        })
    } catch { return .failure(error) }
  }
}

extension ChangeTrust {
  /// What it is called that those clients are let in.
  fileprivate func acceptanceName(_ change: TrustChange) -> CheckName {
    change.phase == .preRotate && newest == change.new ? .newClientAccepted : .clientAccepted
  }
}
