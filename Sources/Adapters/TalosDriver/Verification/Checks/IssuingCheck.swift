import Crypto
import Rotation

/// `issuing`: from which authority a machine issues.
extension ChangeTrust {
  /// Whether a machine issues from the authority that the stage asks for.
  func issuingCheck(_ name: CheckName, _ seen: Certificate?) -> CheckResult {
    guard let seen else { return CheckResult(name, .waiting, "shows no issuing CA yet") }
    if seen == issuing { return CheckResult(name, .passed, "issues from \(self.name(seen))") }
    return managed.contains(seen)
      ? CheckResult(name, .waiting, "still issues from \(self.name(seen))")
      : CheckResult(
        name, .failed,
        "issues from \(ForeignAuthority.name(seen)), which this rotation does not know: somebody else "
          + "is rotating; stop that tool (talosctl, Omni, another omnid) and put the machine's configuration back"
      )
  }
}
