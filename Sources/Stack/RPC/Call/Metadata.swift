internal import Encodings

/// Custom metadata of a call: an ordered multimap, as gRPC's HTTP/2 document defines it.
///
/// Keys are lower case. A key that ends in `-bin` holds bytes (base64 on the wire); any other holds
/// printable ASCII. Names that HTTP/2 or gRPC reserve (`:…`, `grpc-…`, `content-type`, `te`, …)
/// are not metadata: appending one is ignored on the way out.
public struct Metadata: Sendable, Equatable {
  /// A value: text, or the bytes of a `-bin` key.
  public enum Value: Sendable, Equatable {
    case text(String)
    case binary([UInt8])
  }

  public private(set) var entries: [(key: String, value: Value)] = []

  public init() {}

  public init(_ elements: KeyValuePairs<String, String>) {
    for (key, value) in elements { append(key, value) }
  }

  public var isEmpty: Bool { entries.isEmpty }

  /// Adds a text value. Bytes outside printable ASCII are not allowed on the wire and become `?`; spaces
  /// at its ends do not arrive (gRPC HTTP/2 document: "may be stripped").
  public mutating func append(_ key: String, _ value: String) {
    let key = key.lowercased()
    if key.hasSuffix("-bin") {
      entries.append((key, .binary(Array(value.utf8))))
    } else {
      entries.append((key, .text(value)))
    }
  }

  /// Adds a binary value; `-bin` is added to a key that lacks it.
  public mutating func appendBinary(_ key: String, _ value: [UInt8]) {
    let key = key.lowercased()
    entries.append((key.hasSuffix("-bin") ? key : key + "-bin", .binary(value)))
  }

  public mutating func append(contentsOf other: Metadata) {
    entries.append(contentsOf: other.entries)
  }

  /// The first text value of that key.
  public subscript(key: String) -> String? {
    for (name, value) in entries where name == key {
      if case .text(let text) = value { return text }
    }
    return nil
  }

  public func values(_ key: String) -> [Value] {
    entries.filter { $0.key == key }.map(\.value)
  }

  /// The first bytes value of that key.
  public func binary(_ key: String) -> [UInt8]? {
    for (name, value) in entries where name == key {
      if case .binary(let bytes) = value { return bytes }
    }
    return nil
  }

  public static func == (a: Metadata, b: Metadata) -> Bool {
    a.entries.count == b.entries.count
      && zip(a.entries, b.entries).allSatisfy { $0.key == $1.key && $0.value == $1.value }
  }
}

extension Metadata {
  /// The custom metadata among the fields of a header block. Several `-bin` values may share one
  /// field, separated by commas; one that is not base64 is left out.
  package init(fields: HeaderFields) {
    for i in 0..<fields.count {
      let name = fields.name(i)
      if Self.isReserved(name) { continue }
      if name.hasSuffix("-bin") {
        for part in fields.bytes[fields.valueRange(i)].split(
          separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        {
          let trimmed = part.drop { $0 == 0x20 }
          if let bytes = Base64.decode(trimmed, .peers) { entries.append((name, .binary(bytes))) }
        }
      } else {
        entries.append((name, .text(fields.value(i))))
      }
    }
  }

  /// Adds this metadata to a header block.
  package func append(to fields: inout HeaderFields) {
    for (key, value) in entries where !Self.isReserved(key) && Self.isValidKey(key) {
      switch value {
      case .text(let text): fields.append(key, Self.printable(text))
      case .binary(let bytes): fields.append(key, Base64.encode(bytes, padded: false))
      }
    }
  }

  package static func isReserved(_ key: String) -> Bool {
    if key.isEmpty || key.hasPrefix(":") || key.hasPrefix("grpc-") {
      return key != "grpc-previous-rpc-attempts" && key != "grpc-retry-pushback-ms"
        && key != "grpc-trace-bin"
        && key != "grpc-tags-bin"
    }
    switch key {
    case "content-type", "te", "user-agent", "content-length", "host", "connection", "keep-alive",
      "transfer-encoding", "upgrade", "proxy-connection", "trailer":
      return true
    default: return false
    }
  }

  static func isValidKey(_ key: String) -> Bool {
    key.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
      default: false
      }
    }
  }

  static func printable(_ text: String) -> String {
    let bytes = text.utf8
    if bytes.first != 0x20 && bytes.last != 0x20
      && bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f })
    {
      return text
    }
    let trimmed = bytes.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed()
    return String(
      decoding: trimmed.map { $0 >= 0x20 && $0 < 0x7f ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
  }
}
