/// The rules of RFC 9113 sections 8.2 and 8.3 for the header blocks of requests, without any rule for
/// what `:authority` and `host` hold.
///
/// On a Unix socket the authority names nothing: clients send the socket's path, percent-encoded or
/// not, an empty text, or none (grpc-java, grpcurl 1.8). nghttp2 has no switch for that one rule, so a
/// session that takes any authority turns nghttp2's checks off and asks here. Beyond the authority
/// both refuse the same.
enum RequestRules {
  /// Whether a request may begin, or its trailers may end it, with the block.
  static func accept(_ block: HeaderBlock, isTrailers: Bool) -> Bool {
    var seen = Seen()
    return block.allFields { name, value in
      guard let first = name.first, isValue(value) else { return false }
      if first == 0x3a {
        return !isTrailers && !seen.hasRegular && seen.pseudo(name, value)
      }
      seen.hasRegular = true
      return isName(name) && seen.regular(name, value)
    } && (isTrailers || seen.isWhole)
  }

  /// What `content-length` says; nil when the block does not have it.
  static func contentLength(_ block: HeaderBlock) -> Int? {
    var length: Int?
    _ = block.allFields { name, value in
      if name.elementsEqual("content-length".utf8) { length = number(value) }
      return length == nil
    }
    return length
  }

  /// Decimal digits; nil for anything else and for what is larger than an Int.
  static func number(_ text: ArraySlice<UInt8>) -> Int? {
    guard !text.isEmpty, text.count <= 18, text.allSatisfy({ 0x30...0x39 ~= $0 }) else {
      return nil
    }
    return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  // MARK: Characters

  /// `token` of RFC 9110 section 5.6.2, in lower case.
  static func isName(_ text: ArraySlice<UInt8>) -> Bool {
    text.allSatisfy { isToken($0) && !(0x41...0x5a ~= $0) }
  }

  static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    // ! # $ % & ' * + - . ^ _ ` | ~
    case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e...0x60, 0x7c, 0x7e: true
    default: false
    }
  }

  /// No control characters but the tab.
  private static func isValue(_ text: ArraySlice<UInt8>) -> Bool {
    text.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }
  }

  /// RFC 3986 section 3.1.
  static func isScheme(_ text: ArraySlice<UInt8>) -> Bool {
    guard let first = text.first, 0x41...0x5a ~= first || 0x61...0x7a ~= first else { return false }
    return text.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2d, 0x2e: true
      default: false
      }
    }
  }
}

/// What has come of a request's block.
private struct Seen {
  var hasRegular = false
  private var method: ArraySlice<UInt8>?
  private var scheme: ArraySlice<UInt8>?
  private var path: ArraySlice<UInt8>?
  private var hasAuthority = false
  private var hasHost = false
  private var hasLength = false

  mutating func pseudo(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool {
    if name.elementsEqual(":authority".utf8) {
      defer { hasAuthority = true }
      return !hasAuthority
    }
    if value.isEmpty { return false }
    if name.elementsEqual(":method".utf8), method == nil {
      method = value
      return value.allSatisfy(RequestRules.isToken)
    }
    if name.elementsEqual(":path".utf8), path == nil {
      path = value
      return value.allSatisfy { $0 > 0x20 }
    }
    if name.elementsEqual(":scheme".utf8), scheme == nil {
      scheme = value
      return RequestRules.isScheme(value)
    }
    return false
  }

  /// Fields of a connection have no meaning in HTTP/2 (RFC 9113 section 8.2.2).
  mutating func regular(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool {
    switch name.count {
    case 2 where name.elementsEqual("te".utf8): return isTrailers(value)
    case 4 where name.elementsEqual("host".utf8):
      defer { hasHost = true }
      return !hasHost
    case 7: return !name.elementsEqual("upgrade".utf8)
    case 10: return !name.elementsEqual("connection".utf8) && !name.elementsEqual("keep-alive".utf8)
    case 14 where name.elementsEqual("content-length".utf8):
      defer { hasLength = true }
      return !hasLength && RequestRules.number(value) != nil
    case 16: return !name.elementsEqual("proxy-connection".utf8)
    case 17: return !name.elementsEqual("transfer-encoding".utf8)
    default: return true
    }
  }

  private func isTrailers(_ value: ArraySlice<UInt8>) -> Bool {
    value.count == 8 && zip(value, "trailers".utf8).allSatisfy { $0 | 0x20 == $1 }
  }

  /// All pseudo-header fields that the method needs are there, and the path is one for it (RFC 9113
  /// sections 8.3.1 and 8.5).
  var isWhole: Bool {
    guard let method else { return false }
    if method.elementsEqual("CONNECT".utf8) {
      return scheme == nil && path == nil && hasAuthority
    }
    guard let scheme, let path else { return false }
    let isHTTP = scheme.elementsEqual("http".utf8) || scheme.elementsEqual("https".utf8)
    return !isHTTP || path.first == 0x2f
      || path.elementsEqual("*".utf8) && method.elementsEqual("OPTIONS".utf8)
  }
}

extension HeaderBlock {
  /// Whether the body holds for all fields; it is not asked after the first for which it does not.
  func allFields(_ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Bool) -> Bool {
    var start = 0
    for field in 0..<ends.count / 2 {
      let (nameEnd, end) = (Int(ends[2 * field]), Int(ends[2 * field + 1]))
      guard body(bytes[start..<nameEnd], bytes[nameEnd..<end]) else { return false }
      start = end
    }
    return true
  }
}
