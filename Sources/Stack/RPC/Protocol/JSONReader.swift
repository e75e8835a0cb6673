internal import Encodings

/// Reads the JSON of Connect's errors and ends of streams.
///
/// RPC imports no codec, and these two small documents are part of the protocol itself. Depth and
/// size are the peer's, so both are limited: the text by the caller, the depth here.
package enum JSONReader {
  package indirect enum Value: Equatable {
    case null, other
    case string(String)
    case array([Value])
    case object([String: Value])

    package subscript(_ key: String) -> Value? {
      if case .object(let members) = self { return members[key] }
      return nil
    }

    package var text: String? {
      if case .string(let text) = self { return text }
      return nil
    }
  }

  /// The document, or nil when it is not JSON. Numbers and booleans are `other`: none is needed.
  package static func parse(_ bytes: [UInt8]) -> Value? {
    var reader = Reader(bytes: bytes)
    guard let value = reader.value(depth: 0) else { return nil }
    reader.skipSpace()
    return reader.at == bytes.count ? value : nil
  }

  private struct Reader {
    let bytes: [UInt8]
    var at = 0

    mutating func skipSpace() {
      while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
      skipSpace()
      guard at < bytes.count, bytes[at] == byte else { return false }
      at += 1
      return true
    }

    mutating func value(depth: Int) -> Value? {
      skipSpace()
      guard at < bytes.count, depth < 64 else { return nil }
      switch bytes[at] {
      case UInt8(ascii: "{"): return object(depth)
      case UInt8(ascii: "["): return array(depth)
      case UInt8(ascii: "\""): return string().map(Value.string)
      default:
        let start = at
        while at < bytes.count, !Array(",]} \t\r\n".utf8).contains(bytes[at]) { at += 1 }
        let word = String(decoding: bytes[start..<at], as: UTF8.self)
        if word == "null" { return .null }
        if word == "true" || word == "false" || Double(word) != nil { return .other }
        return nil
      }
    }

    private mutating func object(_ depth: Int) -> Value? {
      at += 1
      var members: [String: Value] = [:]
      if take(UInt8(ascii: "}")) { return .object(members) }
      repeat {
        skipSpace()
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\""), let key = string(),
          take(UInt8(ascii: ":")), let value = value(depth: depth + 1)
        else { return nil }
        members[key] = value
      } while take(UInt8(ascii: ","))
      return take(UInt8(ascii: "}")) ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> Value? {
      at += 1
      var items: [Value] = []
      if take(UInt8(ascii: "]")) { return .array(items) }
      repeat {
        guard let value = value(depth: depth + 1) else { return nil }
        items.append(value)
      } while take(UInt8(ascii: ","))
      return take(UInt8(ascii: "]")) ? .array(items) : nil
    }

    private mutating func string() -> String? {
      at += 1
      var units: [UInt8] = []
      while at < bytes.count {
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
        case UInt8(ascii: "\\"):
          let bytes = bytes
          do throws(JSONText.EscapeFault) {
            try JSONText.readEscape(bytes.span, at: &at, to: &units)
          } catch { return nil }
        case 0..<0x20: return nil
        default: units.append(byte)
        }
      }
      return nil
    }
  }
}
