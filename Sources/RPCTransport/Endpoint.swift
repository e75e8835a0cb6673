/// Where a server listens, or a client connects.
public enum Endpoint: Sendable, Hashable, CustomStringConvertible {
  /// HTTP/2 with prior knowledge on a Unix socket.
  case unix(path: String)
  /// HTTP/2 over TLS, negotiated by ALPN.
  case tls(host: String, port: Int)
  /// HTTP/2 with prior knowledge over TCP, unencrypted: for tests and benchmarks.
  case plaintext(host: String, port: Int)

  /// Reads `unix:PATH`, `tls:HOST:PORT` or `tcp:HOST:PORT`; IPv6 addresses stand in brackets.
  public init?(_ text: String) {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let scheme = text[..<colon]
    let rest = text[text.index(after: colon)...]
    switch scheme {
    case "unix":
      let path = rest.hasPrefix("///") ? rest.dropFirst(2) : rest[...]
      if path.isEmpty { return nil }
      self = .unix(path: String(path))
    case "tls", "tcp":
      guard let (host, port) = Self.hostAndPort(rest) else { return nil }
      self = scheme == "tls" ? .tls(host: host, port: port) : .plaintext(host: host, port: port)
    default: return nil
    }
  }

  /// Splits `HOST:PORT`, `[IPv6]:PORT`.
  public static func hostAndPort(_ text: some StringProtocol) -> (String, Int)? {
    guard let colon = text.lastIndex(of: ":"),
      let port = Int(text[text.index(after: colon)...]), (0...65535).contains(port)
    else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("[") && host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      return nil
    }
    return host.isEmpty ? nil : (host, port)
  }

  public var description: String {
    switch self {
    case .unix(let path): "unix:\(path)"
    case .tls(let host, let port): "tls:\(Self.bracketed(host)):\(port)"
    case .plaintext(let host, let port): "tcp:\(Self.bracketed(host)):\(port)"
    }
  }

  /// The `:authority` of requests.
  var authority: String {
    switch self {
    case .unix: "localhost"
    case .tls(let host, let port), .plaintext(let host, let port):
      "\(Self.bracketed(host)):\(port)"
    }
  }

  static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
