import Daemon
import RPCTransport

/// What clients call this server.
enum ServerNames {
  /// The names and addresses that omnid's own certificate is for: what was told, the hosts of the listeners, and what the
  /// machine knows of itself.
  static func of(
    _ told: [String], _ listen: [Endpoint]
  ) -> (dns: [String], addresses: [String]) {
    var all = told + ["localhost", "127.0.0.1", "::1"]
    for case .tls(let host, _) in listen {
      if isWildcard(host) { all += HostFacts.addresses } else { all.append(host) }
    }
    if let name = HostFacts.name { all.append(name) }
    var (dns, addresses): ([String], [String]) = ([], [])
    for name in all where HostPort(name) != nil {
      if isAddress(name) {
        if !addresses.contains(name) { addresses.append(name) }
      } else if !dns.contains(name) {
        dns.append(name)
      }
    }
    return (dns, addresses)
  }

  /// Where clients find a listener: by the names that were told, else by its host, else by the machine's name.
  static func endpoints(_ told: [String], host: String, port: Int) -> [String] {
    let names =
      told.isEmpty ? [isWildcard(host) ? HostFacts.name ?? "localhost" : host] : told
    return names.map { Endpoint.tls(host: $0, port: port).description }
  }

  private static func isWildcard(_ host: String) -> Bool { host == "0.0.0.0" || host == "::" }

  private static func isAddress(_ name: String) -> Bool {
    name.utf8.contains(UInt8(ascii: ":"))
      || name.utf8.allSatisfy { 0x30...0x39 ~= $0 || $0 == UInt8(ascii: ".") }
  }
}
