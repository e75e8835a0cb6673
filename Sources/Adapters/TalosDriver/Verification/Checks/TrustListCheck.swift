import Crypto
import Rotation

/// `accepted`, `root-accepted`, `trustd-accepted`, `api-server-accepted`, `listed`: what a list of authorities holds.
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
}
