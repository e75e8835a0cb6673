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
  init?(_ text: String) {
    var rest = text[...]
    if let scheme = rest.range(of: "://") {
      guard rest[..<scheme.lowerBound] == "https" else { return nil }
      rest = rest[scheme.upperBound...]
    }
    if rest.hasSuffix("/") { rest.removeLast() }
    let parts = HostPort.split(rest)
    guard let parts, !parts.host.isEmpty,
      !parts.host.contains(where: { $0.isWhitespace || $0 == "/" || $0 == "@" })
    else { return nil }
    self.init(host: String(parts.host), port: parts.port ?? Self.defaultPort)
  }

  /// As a talosconfig has it: the usual port goes without saying.
  var description: String {
    let isV6 = host.contains(":")
    if port == Self.defaultPort { return host }
    return isV6 ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

/// The `host[:port]` of a URL or endpoint.
enum HostPort {
  /// Nil if there is a port that is none, or brackets do not match.
  static func split(_ text: Substring) -> (host: Substring, port: Int?)? {
    if text.hasPrefix("[") {
      guard let close = text.firstIndex(of: "]") else { return nil }
      let host = text[text.index(after: text.startIndex)..<close]
      let rest = text[text.index(after: close)...]
      if rest.isEmpty { return (host, nil) }
      guard rest.hasPrefix(":"), let port = port(rest.dropFirst()) else { return nil }
      return (host, port)
    }
    let colons = text.count { $0 == ":" }
    guard colons == 1, let colon = text.firstIndex(of: ":") else { return (text, nil) }
    guard let port = port(text[text.index(after: colon)...]) else { return nil }
    return (text[..<colon], port)
  }

  private static func port(_ text: Substring) -> Int? {
    guard let port = Int(text), (1...65535).contains(port) else { return nil }
    return port
  }
}

extension Substring {
  /// Where a text occurs first.
  fileprivate func range(of text: String) -> Range<Index>? {
    var index = startIndex
    while index < endIndex {
      if self[index...].hasPrefix(text) {
        return index..<self.index(index, offsetBy: text.count)
      }
      index = self.index(after: index)
    }
    return nil
  }
}
