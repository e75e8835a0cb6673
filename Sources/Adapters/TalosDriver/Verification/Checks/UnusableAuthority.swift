import Crypto
import Orchestrator
import Rotation

extension TalosDriver {
  /// What a check says that takes a client of an authority of which none can be made; nil where one can.
  ///
  /// Of an authority that has expired nobody lets a client in, and the trust lists are read all the same.
  func unasked(_ name: CheckName, _ authority: SealedAuthority) -> CheckResult? {
    guard authority.hasKey else { return .keyless(name, authority) }
    guard keyring.hasExpired(authority), let end = describe(authority)?.notAfter else { return nil }
    return CheckResult(
      name, .notApplicable,
      "CA \(authority.fingerprint.prefix(12)) has expired on \(end), so that nobody lets a client of it in and none can "
        + "be made; what is accepted was read")
  }

  /// The same of a check that shows a refusal: this host's clock may be ahead, so the machine has to be past the end too.
  /// One that cannot say its time, because it reaches no time server, is not waited for.
  func unasked(
    _ name: CheckName, _ authority: SealedAuthority, by machine: Machine, _ access: ClusterAccess
  ) async -> CheckResult? {
    guard let unasked = unasked(name, authority) else { return nil }
    guard authority.hasKey, let end = describe(authority)?.notAfter else { return unasked }
    let clock: Instant?
    do throws(TalosFailure) {
      clock = try await withReading(machine, access, within: .zero) {
        client async throws(TalosFailure) in await client.clock()
      }
    } catch {
      return CheckResult(
        name, .waiting,
        "whether CA \(authority.fingerprint.prefix(12)) has expired by the clock of \(machine.id) cannot be asked: "
          + Routes.plain(error.message))
    }
    guard let clock, clock <= end else { return unasked }
    return CheckResult(
      name, .waiting,
      "CA \(authority.fingerprint.prefix(12)) has expired by this host's clock, and by the clock of \(machine.id), which says "
        + "\(clock), it ends on \(end): set the wrong one right")
  }

  /// Why the kubelet of a machine need not be heard of in ROTATE; nil where it has to be.
  ///
  /// A kubelet whose client certificate is from the old authority is locked out when that expires. It gets another one
  /// when it is restarted without the old authority, which POST_ROTATE does and nothing before it.
  func kubeletLockout(_ kubeletClient: [Certificate], _ change: TrustChange) -> String? {
    guard change.phase == .rotate, change.direction == .forward, keyring.hasExpired(change.old),
      let old = try? keyring.certificate(change.old), kubeletClient.first?.isSigned(by: old) == true
    else { return nil }
    return
      "the kubelet's certificate is from the old CA \(change.old.fingerprint.prefix(12)), which has expired on "
      + "\(Instant(secondsSince1970: old.notAfter)); POST_ROTATE makes it ask for another one"
  }
}

extension CheckResult {
  /// No client of the authority can be made: a rotation that was taken over has an old authority whose key is lost.
  fileprivate static func keyless(_ name: CheckName, _ authority: SealedAuthority) -> CheckResult {
    CheckResult(
      name, .notApplicable,
      "no client of CA \(authority.fingerprint.prefix(12)) can be made, because its key is not known; what is "
        + "accepted was read")
  }
}
