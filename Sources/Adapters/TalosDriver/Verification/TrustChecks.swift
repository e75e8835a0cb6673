import Crypto
import Rotation

/// Questions about certificates that a machine shows, answered without any input or output.
extension ChangeTrust {
  /// Whether an accepted list is what it should be: all that the stage asks for, and nothing else. An
  /// authority that has no part in the rotation lets its holder in after the old one is gone, so it fails
  /// the check.
  ///
  /// - Parameter listed: what the machine's own configuration lists, where that is not what is looked at.
  func acceptedCheck(
    _ name: CheckName, _ seen: SeenTrust?, listed: [Certificate]? = nil
  ) -> CheckResult {
    guard let seen else { return CheckResult(name, .waiting, "shows no accepted CAs yet") }
    if let foreign = foreignCheck(name, seen, listed: listed) { return foreign }
    let seenSet = Set(seen.certificates)
    let missing = accepted.filter { !seenSet.contains($0) }
    let extra = dropped.filter(seenSet.contains)
    if !missing.isEmpty {
      return CheckResult(name, .waiting, "does not accept \(names(missing)) yet")
    }
    if !extra.isEmpty { return CheckResult(name, .waiting, "still accepts \(names(extra))") }
    return CheckResult(name, .passed, "accepts \(names(accepted))")
  }

  /// A failure if a list holds an authority that has no part in the rotation, or one that cannot be read. A
  /// worker's apid accepts what a trustd gave it, so its configuration is a list of its own.
  func foreignCheck(
    _ name: CheckName, _ seen: SeenTrust?, listed: [Certificate]? = nil
  ) -> CheckResult? {
    guard let seen else { return nil }
    guard seen.unreadable == 0 else {
      return CheckResult(
        name, .failed,
        "its list of accepted CAs holds \(seen.unreadable) that cannot be read; take them out, because "
          + "nobody can say whom they let in")
    }
    let foreign = seen.certificates.filter { !managed.contains($0) }
    guard let first = foreign.first else { return nil }
    let way =
      if let listed, !listed.contains(first) {
        "; its own configuration does not list it, so a control plane's trustd hands it on: look at the "
          + "control planes"
      } else if options.removeForeign {
        "; it is being taken out"
      } else {
        ": run the rotation again with --remove-foreign, or take it out of the configuration"
      }
    return CheckResult(
      name, .failed, ForeignAuthority.text(first, others: Set(foreign).count - 1) + way)
  }

  /// Whether a machine issues from the authority that the stage asks for.
  func issuingCheck(_ name: CheckName, _ seen: Certificate?) -> CheckResult {
    guard let seen else { return CheckResult(name, .waiting, "shows no issuing CA yet") }
    if seen == issuing { return CheckResult(name, .passed, "issues from \(self.name(seen))") }
    return managed.contains(seen)
      ? CheckResult(name, .waiting, "still issues from \(self.name(seen))")
      : CheckResult(
        name, .failed,
        "issues from \(ForeignAuthority.name(seen)), which this rotation does not know: somebody else "
          + "is rotating")
  }

  /// Whether a certificate in use was issued by the authority that the stage asks for.
  func leafCheck(
    _ name: CheckName, _ chain: [Certificate], purpose: ChainVerification.Purpose
  ) -> CheckResult {
    chainCheck(name, chain, roots: [issuing], purpose: purpose)
  }

  /// Whether a certificate in use chains to one of the roots.
  func chainCheck(
    _ name: CheckName, _ chain: [Certificate], roots: [Certificate],
    purpose: ChainVerification.Purpose
  ) -> CheckResult {
    guard let leaf = chain.first else { return CheckResult(name, .waiting, "no certificate yet") }
    do {
      try ChainVerification.verify(
        leaf, intermediates: Array(chain.dropFirst()).filter { !managed.contains($0) },
        roots: roots, purpose: purpose, at: nil)
      return CheckResult(name, .passed, "issued by \(names(roots.filter(leaf.isSigned)))")
    } catch {
      let signers = managed.filter(leaf.isSigned)
      let issuer = signers.isEmpty ? "a CA that this rotation does not know" : names(signers)
      return CheckResult(name, .waiting, "is from \(issuer), not accepted here: \(error.message)")
    }
  }
}
