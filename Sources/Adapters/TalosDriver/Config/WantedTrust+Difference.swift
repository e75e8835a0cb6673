import Crypto

extension WantedTrust {
  /// In what a configuration differs from what is wanted, for people.
  @concurrent
  func difference(from config: [UInt8]) async -> String {
    guard let trust = try? MachineConfig(config).trust(component) else {
      return "its configuration does not hold what the stage asks for"
    }
    func name(_ certificate: Certificate) -> String { "CA \(certificate.fingerprint.prefix(12))" }
    if let found = trust.issuing, found != issuing {
      return "it issues from \(name(found)), not from \(name(issuing))"
    }
    if let missing = accepted.first(where: { !trust.accepted.contains($0) }) {
      return "it does not list \(name(missing)) any more"
    }
    if let extra = trust.written.first(where: { managed.contains($0) && !accepted.contains($0) }) {
      return "it still lists the dropped \(name(extra))"
    }
    if removesForeign, let foreign = trust.foreign(managed: managed).first {
      return "it lists \(ForeignAuthority.name(foreign)), which is to be taken out"
    }
    return "its configuration does not hold what the stage asks for"
  }
}
