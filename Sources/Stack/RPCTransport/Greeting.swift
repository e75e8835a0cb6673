internal import HTTP2Codes

/// What a client's first bytes tell of what it speaks.
enum Greeting: Equatable {
  /// Too few bytes to tell.
  case unclear
  case http2
  case http1
  case tls
  /// Something else, or HTTP/2 that begins in a wrong way.
  case other

  private static let preface = Array("PRI * HTTP/2.0\r\n".utf8)
  /// A method of HTTP/1 is not longer.
  private static let methodBytes = 20
  /// More than these are never needed to tell.
  static let mostBytes = methodBytes + 2

  static func of(_ bytes: some Collection<UInt8>) -> Greeting {
    let bytes = Array(bytes.prefix(mostBytes))
    guard let first = bytes.first else { return .unclear }
    // A TLS record of a handshake, and the highest byte of its version (RFC 8446 section 5.1).
    if first == 0x16 { return bytes.count < 2 ? .unclear : bytes[1] == 3 ? .tls : .other }
    if bytes.starts(with: preface.prefix(bytes.count)) || bytes.starts(with: preface) {
      return bytes.count < 3 ? .unclear : .http2
    }
    guard let space = bytes.firstIndex(of: 0x20) else {
      return bytes.count <= methodBytes && bytes.allSatisfy(isLetter) ? .unclear : .other
    }
    guard space > 0, bytes[..<space].allSatisfy(isLetter) else { return .other }
    guard space + 1 < bytes.count else { return .unclear }
    // The request's target (RFC 9112 section 3.2): of CONNECT a host with a port, of the others a path, `*` or a URL.
    switch bytes[space + 1] {
    case 0x2f, 0x2a, 0x68: return .http1
    case 0x21...0x7e where bytes[..<space].elementsEqual(connect): return .http1
    default: return .other
    }
  }

  private static let connect = Array("CONNECT".utf8)

  private static func isLetter(_ byte: UInt8) -> Bool { 0x41...0x5a ~= byte || 0x61...0x7a ~= byte }
}

/// The answers to clients that speak another protocol than the listener.
enum ForeignAnswer {
  /// The words for the log and for the client; nil when the listener speaks the protocol.
  ///
  /// - Parameter isTLS: the listener's.
  static func reason(_ greeting: Greeting, isTLS: Bool) -> String? {
    switch (greeting, isTLS) {
    case (.http1, false):
      "HTTP/1.1 is not spoken here, HTTP/2 without TLS is: use a gRPC client, or curl with "
        + "--http2-prior-knowledge"
    case (.http1, true):
      "HTTP/1.1 is not spoken here, HTTP/2 over TLS is: use https:// with a client of HTTP/2 or gRPC"
    case (.tls, false):
      "TLS is not spoken here, HTTP/2 without TLS is: tell the client so (plaintext, insecure, http://)"
    case (.http2, true):
      "HTTP/2 is spoken here over TLS only: tell the client to use TLS and a client certificate"
    case (.unclear, _), (.other, _), (.tls, true), (.http2, false): nil
    }
  }

  /// What the client gets: words in HTTP/1.1, or in a GOAWAY for one that speaks HTTP/2.
  ///
  /// TLS has no message that holds words. Clients of TLS take HTTP's for what they are: Go's says that
  /// the server gave an HTTP response.
  static func bytes(_ greeting: Greeting, _ reason: String) -> [UInt8] {
    greeting == .http2 ? goAway(.inadequateSecurity, reason) : http1(reason)
  }

  static func http1(_ reason: String) -> [UInt8] {
    let text = reason + "\n"
    let head =
      "HTTP/1.1 505 HTTP Version Not Supported\r\ncontent-type: text/plain; charset=utf-8\r\n"
      + "content-length: \(text.utf8.count)\r\nconnection: close\r\n\r\n"
    return Array((head + text).utf8)
  }

  /// SETTINGS, which come first on every connection, and GOAWAY with the reason.
  static func goAway(_ code: HTTP2ErrorCode, _ reason: String) -> [UInt8] {
    let text = Array(reason.utf8)
    return [0, 0, 0, 4, 0, 0, 0, 0, 0]
      + [0, 0, UInt8(clamping: 8 + text.count), 7, 0, 0, 0, 0, 0] + [
        0, 0, 0, 0, 0, 0, 0, UInt8(truncatingIfNeeded: code.rawValue),
      ]
      + text.prefix(247)
  }
}
