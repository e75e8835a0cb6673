import Crypto
import Rotation

/// Questions about certificates that a machine shows, answered without any input or output.
extension ChangeTrust {
  /// Whether an accepted list is what it should be: all that the stage asks for, nothing of what it has
  /// dropped. Authorities that have no part in the rotation are none of its business.
  func acceptedCheck(_ name: String, _ seen: [Certificate]?) -> CheckResult {
    guard let seen else { return CheckResult(name, .waiting, "not there yet") }
    let seenSet = Set(seen)
    let missing = accepted.filter { !seenSet.contains($0) }
    let extra = dropped.filter(seenSet.contains)
    if !missing.isEmpty {
      return CheckResult(name, .waiting, "does not accept \(names(missing)) yet")
    }
    if !extra.isEmpty { return CheckResult(name, .waiting, "still accepts \(names(extra))") }
    let others = seenSet.subtracting(managed).count
    let more = others == 0 ? "" : ", and \(others) that are no part of this rotation"
    return CheckResult(name, .passed, "accepts \(names(accepted))\(more)")
  }

  /// Whether a machine issues from the authority that the stage asks for.
  func issuingCheck(_ name: String, _ seen: Certificate?) -> CheckResult {
    guard let seen else { return CheckResult(name, .waiting, "no issuing CA yet") }
    return seen == issuing
      ? CheckResult(name, .passed, "issues from \(self.name(seen))")
      : CheckResult(name, .waiting, "still issues from \(self.name(seen))")
  }

  /// Whether a certificate in use was issued by the authority that the stage asks for.
  func leafCheck(
    _ name: String, _ chain: [Certificate], purpose: ChainVerification.Purpose
  ) -> CheckResult {
    chainCheck(name, chain, roots: [issuing], purpose: purpose)
  }

  /// Whether a certificate in use chains to one of the roots.
  func chainCheck(
    _ name: String, _ chain: [Certificate], roots: [Certificate],
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
