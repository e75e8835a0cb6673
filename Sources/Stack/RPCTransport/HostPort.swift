internal import Reactor

/// The `HOST[:PORT]` of endpoints and URLs (RFC 3986, section 3.2).
///
/// A host is a name of letters, digits, `-`, `_` and `.`, or an address. Names of other scripts are
/// written the way DNS has them (RFC 5890).
public struct HostPort: Sendable, Hashable, CustomStringConvertible {
  /// Without brackets.
  public var host: String
  public var port: Int?

  public init(host: String, port: Int?) {
    self.host = host
    self.port = port
  }

  /// Reads `host`, `host:port`, `[IPv6]`, `[IPv6]:port` and a bare IPv6 address, which has no port.
  /// Nil for anything else: a port beyond 65535, brackets around what is no IPv6 address, a zone.
  public init?(_ text: some StringProtocol) {
    // Bytes, not characters: a combining mark after a colon would hide it.
    let bytes = Array(text.utf8)
    guard let end = Self.endOfHost(bytes) else { return nil }
    host = String(decoding: bytes[end.host], as: UTF8.self)
    let isValid = end.isIPv6 ? Socket.isIPv6(host) : Self.isName(bytes[end.host])
    guard isValid else { return nil }
    if end.rest < bytes.endIndex {
      guard bytes[end.rest] == Self.colon, let port = Self.port(bytes[(end.rest + 1)...])
      else { return nil }
      self.port = port
    }
  }

  public var description: String {
    let name = host.utf8.contains(Self.colon) ? "[\(host)]" : host
    return if let port { "\(name):\(port)" } else { name }
  }

  private static let colon = UInt8(ascii: ":")

  /// Where the host stands, and what follows it begins. Nil if a bracket is not closed.
  private static func endOfHost(_ bytes: [UInt8]) -> (host: Range<Int>, rest: Int, isIPv6: Bool)? {
    if bytes.first == UInt8(ascii: "[") {
      guard let close = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      return (1..<close, close + 1, true)
    }
    guard let first = bytes.firstIndex(of: colon) else {
      return (bytes.indices, bytes.count, false)
    }
    let isBareIPv6 = bytes[(first + 1)...].contains(colon)
    return isBareIPv6 ? (bytes.indices, bytes.count, true) : (0..<first, first, false)
  }

  private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
    !bytes.isEmpty
      && bytes.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
          UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  private static func port(_ digits: ArraySlice<UInt8>) -> Int? {
    guard (1...5).contains(digits.count),
      digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    let port = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    return port <= 65535 ? port : nil
  }
}
