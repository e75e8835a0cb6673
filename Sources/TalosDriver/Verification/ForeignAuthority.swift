import Crypto

/// How an authority is named that is neither the old nor the new one.
enum ForeignAuthority {
  /// `CA 1f2e3d4c5b6a (O=talos)`.
  static func name(_ certificate: Certificate) -> String {
    "CA \(certificate.fingerprint.prefix(12)) (\(PeerText.clean(certificate.subject)))"
  }

  /// - Parameter others: how many more there are.
  static func text(_ certificate: Certificate, others: Int) -> String {
    let more = others > 0 ? " and \(others) more" : ""
    return
      "accepts \(name(certificate))\(more), which is neither the old nor the new CA: its holder "
      + "is let in"
  }
}
