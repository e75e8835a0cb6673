import RPCTransport

/// Where an apid answers.
struct TalosEndpoint: Hashable, CustomStringConvertible {
  /// A host name or an address, without brackets.
  var host: String
  var port: Int

  static let defaultPort = 50000

  init(host: String, port: Int = TalosEndpoint.defaultPort) {
    self.host = host
    self.port = port
  }

  /// Reads `host`, `host:port`, `[v6]`, `[v6]:port`, a bare IPv6 address, each also as an
  /// `https://` URL. Nil for anything else.
  ///
  /// - Parameter defaultPort: where the text names none.
  init?(_ text: String, defaultPort: Int = TalosEndpoint.defaultPort) {
    var rest = text[...]
    if rest.hasPrefix("https://") { rest.removeFirst("https://".count) }
    if rest.hasSuffix("/") { rest.removeLast() }
    guard let target = HostPort(rest), target.port != 0 else { return nil }
    self.init(host: target.host, port: target.port ?? defaultPort)
  }

  /// As a talosconfig has it: the usual port goes without saying.
  var description: String {
    port == Self.defaultPort ? host : HostPort(host: host, port: port).description
  }
}
