/// Where a server listens, or a client connects.
public enum Endpoint: Sendable, Hashable, CustomStringConvertible {
  /// HTTP/2 with prior knowledge on a Unix socket.
  case unix(path: String)
  /// HTTP/2 with prior knowledge on a Unix socket that has a name and no file (unix(7), abstract). Whoever shares the
  /// network namespace may connect.
  case abstract(name: String)
  /// HTTP/2 over TLS, negotiated by ALPN.
  case tls(host: String, port: Int)
  /// HTTP/2 with prior knowledge over TCP, unencrypted: for tests and benchmarks.
  case plaintext(host: String, port: Int)

  /// Reads `unix:PATH`, `unix-abstract:NAME`, `tls:HOST:PORT` or `tcp:HOST:PORT`; IPv6 addresses stand in brackets.
  public init?(_ text: String) {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let scheme = text[..<colon]
    let rest = text[text.index(after: colon)...]
    switch scheme {
    case "unix":
      let path = rest.hasPrefix("///") ? rest.dropFirst(2) : rest[...]
      if path.isEmpty { return nil }
      self = .unix(path: String(path))
    case "unix-abstract":
      if rest.isEmpty { return nil }
      self = .abstract(name: String(rest))
    case "tls", "tcp":
      guard let target = HostPort(rest), let port = target.port else { return nil }
      let host = target.host
      self = scheme == "tls" ? .tls(host: host, port: port) : .plaintext(host: host, port: port)
    default: return nil
    }
  }

  public var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .abstract(let name): "unix-abstract:\(name)"
    case .tls(let host, let port): "tls:\(HostPort(host: host, port: port))"
    case .plaintext(let host, let port): "tcp:\(HostPort(host: host, port: port))"
    }
  }

  /// The `:authority` of requests.
  var authority: String {
    switch self {
    case .unix, .abstract: "localhost"
    case .tls(let host, let port), .plaintext(let host, let port):
      HostPort(host: host, port: port).description
    }
  }
}
