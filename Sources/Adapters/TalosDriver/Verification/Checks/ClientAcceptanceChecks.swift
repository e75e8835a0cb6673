import Crypto
import Orchestrator
import Rotation

/// `new-client-accepted`, `client-accepted`, `old-client-accepted` and `old-refused`: what a machine's apid accepts, seen
/// from a client.
extension TalosDriver {
  /// Dials a machine by itself with a certificate from each authority.
  ///
  /// Through a control plane nothing would be proved: it presents its own certificate.
  func probeTalos(
    _ change: TrustChange, _ trust: ChangeTrust, _ machine: Machine
  ) async -> [CheckResult] {
    let issuing = [trust.issuing]
    let name =
      change.phase == .preRotate && trust.accepted.contains(trust.new)
      ? CheckName.newClientAccepted : .clientAccepted
    // The certificate that is newest to the machine, against the authority it issues from alone.
    let newest = trust.accepted.contains(trust.new) ? change.new : change.old
    let other = newest == change.new ? change.old : change.new
    async let second =
      trust.accepted.count > 1 ? dial(machine, as: other, trusting: issuing) : nil
    let control = await dial(machine, as: newest, trusting: issuing)
    if machine.role == .worker, case .failure(let failure) = control, failure.isNoConnection {
      return [
        CheckResult(
          name, .notApplicable,
          "not reachable directly; what its apid accepts was read through a control plane")
      ]
    }
    var results = [acceptance(name, control, change, newest)]
    if let answer = await second, results[0].state == .passed {
      results.append(acceptance(.oldClientAccepted, answer, change, other))
    }
    if !trust.dropped.isEmpty {
      let dropped = trust.dropped.contains(trust.old) ? change.old : change.new
      results.append(
        await RefusalProof.check(
          control: control, accepted: { await self.dial(machine, as: newest, trusting: issuing) },
          dropped: { await self.dial(machine, as: dropped, trusting: issuing) }))
    }
    return results
  }

  private func acceptance(
    _ name: CheckName, _ answer: Result<Void, TalosFailure>, _ change: TrustChange,
    _ authority: SealedAuthority
  ) -> CheckResult {
    let which = authority == change.new ? "new" : "old"
    switch answer {
    case .success: return CheckResult(name, .passed, "a client of the \(which) CA is let in")
    case .failure(let failure):
      return CheckResult(
        name, .waiting, "a client of the \(which) CA is not let in yet: \(failure.message)")
    }
  }

  /// One call on a fresh connection.
  private func dial(
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
