import Crypto
import Orchestrator
import Rotation

/// Proofs by handshake: what a machine's apid accepts, seen from a client.
extension TalosDriver {
  /// Dials a machine by itself with a certificate from each authority.
  ///
  /// Through a control plane nothing would be proved: it presents its own certificate.
  func probeTalos(
    _ change: TrustChange, _ trust: ChangeTrust, _ machine: Machine
  ) async -> [CheckResult] {
    let issuing = change.authority(trust.issuing == trust.old ? .old : .new)
    let name =
      trust.issuing == trust.old && change.phase == .preRotate
      ? "new-client-accepted" : "client-accepted"
    // The certificate that is newest to the machine, against the authority it issues from alone.
    let newest = trust.accepted.contains(trust.new) ? change.new : change.old
    let control = await dial(machine, as: newest, trusting: [trust.issuing])
    if machine.role == .worker, case .failure(.unreachable) = control {
      return [
        CheckResult(
          name, .notApplicable,
          "not reachable directly; what its apid accepts was read through a control plane")
      ]
    }
    var results = [acceptance(name, control, change, newest)]
    if trust.accepted.count > 1, results[0].state == .passed {
      let other = newest == change.new ? change.old : change.new
      results.append(
        acceptance(
          "old-client-accepted", await dial(machine, as: other, trusting: [trust.issuing]), change,
          other))
    }
    if !trust.dropped.isEmpty {
      let dropped = issuing == change.new ? change.old : change.new
      results.append(
        await refusal(
          of: dropped, by: machine, trust, control, controlAuthority: newest))
    }
    return results
  }

  private func acceptance(
    _ name: String, _ answer: Result<String, TalosFailure>, _ change: TrustChange,
    _ authority: SealedAuthority
  ) -> CheckResult {
    let which = authority == change.new ? "new" : "old"
    switch answer {
    case .success: return CheckResult(name, .passed, "a client of the \(which) CA is let in")
    case .failure(let failure): return CheckResult(name, .waiting, failure.message)
    }
  }

  /// A client of a dropped authority has to be turned away, while one of the accepted authority is let
  /// in: a machine that is down refuses nobody.
  ///
  /// A TLS alert that names the certificate is proof by itself. A connection that is merely cut off is
  /// one only when that happens every time, and to the dropped client alone.
  private func refusal(
    of dropped: SealedAuthority, by machine: Machine, _ trust: ChangeTrust,
    _ control: Result<String, TalosFailure>, controlAuthority: SealedAuthority
  ) async -> CheckResult {
    let name = "old-refused"
    var control = control
    for _ in 0..<3 {
      guard case .success = control else {
        return CheckResult(
          name, .waiting, "cannot be proved while an accepted client is not let in")
      }
      switch await dial(machine, as: dropped, trusting: [trust.issuing]) {
      case .success:
        return CheckResult(name, .waiting, "a client of the dropped CA is still let in")
      case .failure(.rejected(let text)):
        return CheckResult(name, .passed, "a client of the dropped CA is refused (\(text))")
      case .failure(let failure) where failure.isCutOff:
        control = await dial(machine, as: controlAuthority, trusting: [trust.issuing])
      case .failure(let failure):
        return CheckResult(name, .waiting, "no clear refusal: \(failure.message)")
      }
    }
    guard case .success = control else {
      return CheckResult(name, .waiting, "cannot be proved while an accepted client is not let in")
    }
    return CheckResult(
      name, .passed, "a client of the dropped CA is cut off every time, an accepted one let in")
  }

  /// One Version call on a fresh connection.
  private func dial(
    _ machine: Machine, as authority: SealedAuthority, trusting roots: [Certificate]
  ) async -> Result<String, TalosFailure> {
    let endpoint = TalosEndpoint(host: machine.address, port: machine.port)
    let timeout = machine.role == .worker ? settings.probeTimeout : settings.callTimeout
    do throws(TalosFailure) {
      let identity: Identity
      do {
        identity = try keyring.identity(.talos(roles: ["os:reader"]), from: authority)
      } catch { throw .unusable(error) }
      let tls = TLSClient(identity: identity, roots: roots)
      return .success(
        try await TalosConnection.with(endpoint, tls, timeout: timeout) {
          rpc throws(TalosFailure) in
          try await TalosClient(rpc: rpc, node: nil, timeout: timeout).version()
        })
    } catch { return .failure(error) }
  }
}
