import Crypto
import Rotation

/// How an authority is named that is neither the old nor the new one.
enum ForeignAuthority {
  /// `CA 1f2e3d4c5b6a (O=talos)`.
  static func name(_ certificate: Certificate) -> String {
    "CA \(certificate.fingerprint.prefix(12)) (\(PeerText.clean(certificate.subject)))"
  }

  /// What becomes of one that is found at a start, or what a person can do about it.
  static func wayOut(of component: SecretComponent, _ context: PreflightContext) -> String {
    switch (component == context.component, context.options.removeForeign) {
    case (true, true): "it is taken out, as --remove-foreign asks"
    case (true, false):
      "rotate with --remove-foreign to take it out, or take it out of the configuration"
    case (false, true):
      "it stays for now: rotate the \(component.rawValue) too, with --remove-foreign"
    case (false, false):
      "rotate the \(component.rawValue) too, with --remove-foreign; to go on with this one first, give "
        + "--remove-foreign here"
    }
  }

  /// - Parameter others: how many more there are.
  static func text(_ certificate: Certificate, others: Int) -> String {
    let more = others > 0 ? " and \(others) more" : ""
    return
      "accepts \(name(certificate))\(more), which is neither the old nor the new CA: its holder "
      + "is let in"
  }
}
