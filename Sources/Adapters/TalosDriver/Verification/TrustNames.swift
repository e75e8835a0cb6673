import Crypto
import Orchestrator
import Rotation

/// The authorities of a change as certificates, and what people call them.
struct ChangeTrust {
  let old: Certificate
  let new: Certificate
  /// What the machine is to issue from.
  let issuing: Certificate
  /// What it is to accept, the issuing one first.
  let accepted: [Certificate]
  /// What it is to accept no longer.
  let dropped: [Certificate]
  let options: RotationOptions
  /// The authority whose clients are newest to the machine; the other accepted one where no client of that can be made.
  let newest: SealedAuthority
  let other: SealedAuthority

  init(_ change: TrustChange, _ role: MachineRole, _ keyring: Keyring) throws(DriverError) {
    let bundle = change.bundle(for: role)
    options = change.options
    old = try keyring.certificate(change.old)
    new = try keyring.certificate(change.new)
    let (old, new) = (old, new)
    issuing = bundle.issuing == .old ? old : new
    accepted = bundle.accepted.map { $0 == .old ? old : new }
    dropped = AuthorityGeneration.allCases.filter { !bundle.accepted.contains($0) }
      .map { $0 == .old ? old : new }
    let preferred: AuthorityGeneration = bundle.accepted.contains(.new) ? .new : .old
    let rest: AuthorityGeneration = preferred == .new ? .old : .new
    let isReplaced =
      bundle.accepted.contains(rest) && !keyring.signs(change.authority(preferred))
      && keyring.signs(change.authority(rest))
    newest = change.authority(isReplaced ? rest : preferred)
    other = change.authority(isReplaced ? preferred : rest)
  }

  var managed: Set<Certificate> { [old, new] }

  /// `the new CA 1f2e3d4c`.
  func name(_ certificate: Certificate) -> String {
    let which = certificate == old ? "the old CA" : certificate == new ? "the new CA" : "CA"
    return "\(which) \(certificate.fingerprint.prefix(12))"
  }

  func names(_ certificates: some Sequence<Certificate>) -> String {
    certificates.map(name).sorted().joined(separator: ", ")
  }
}
