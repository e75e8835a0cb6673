import Daemon
import RPCTransport

extension ServeOptions {
  static func socketRights(_ values: SettingValues) throws(UsageError) -> SocketRights {
    var rights = SocketRights()
    if let value = values[.socketGroup] {
      guard let group = HostFacts.group(value.texts[0]) else {
        throw UsageError("\(value.origin): there is no group '\(value.texts[0])'")
      }
      rights.group = group
      rights.mode = 0o660
    }
    if let value = values[.socketMode] {
      guard let mode = UInt32(value.texts[0], radix: 8), mode <= 0o777 else {
        throw UsageError(
          "\(value.origin): '\(value.texts[0])' is not a mode in octal, such as 0660")
      }
      guard mode & 0o600 == 0o600 else {
        throw UsageError("\(value.origin): the socket's owner has to read and write: 0600 at least")
      }
      rights.mode = mode
    }
    return rights
  }

  static func tlsSettings(
    _ values: SettingValues, _ listen: [Endpoint], _ defaults: Defaults
  ) throws(UsageError) -> TLSSettings? {
    let isWanted = listen.contains { if case .tls = $0 { true } else { false } }
    guard isWanted else {
      for setting in [Setting.tlsName, .tlsCertificate, .tlsKey, .tlsClientCA] {
        if let value = values[setting] {
          throw UsageError("\(value.origin) is of no use without --listen tls:HOST:PORT")
        }
      }
      return nil
    }
    var settings = TLSSettings()
    settings.clientCA = values[.tlsClientCA]?.texts[0]
    switch (values[.tlsCertificate], values[.tlsKey]) {
    case (let certificate?, let key?):
      settings.identity = (certificate.texts[0], key.texts[0])
      settings.keyIsCredential = defaults.isCredential(key.texts[0])
    case (nil, nil): break
    case (let certificate?, nil): throw UsageError("\(certificate.origin) needs --tls-key")
    case (nil, let key?): throw UsageError("\(key.origin) needs --tls-cert")
    }
    if let names = values[.tlsName] {
      guard settings.identity == nil else {
        throw UsageError(
          "\(names.origin) is for the certificate that omnid makes: the one of --tls-cert has its names"
        )
      }
      for name in names.texts {
        guard let host = HostPort(name), host.port == nil else {
          throw UsageError("\(names.origin): '\(name)' is neither a DNS name nor an address")
        }
        settings.names.append(host.host)
      }
    }
    return settings
  }
}
