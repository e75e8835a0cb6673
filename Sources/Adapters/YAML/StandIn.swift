/// A text that stands in for one that libyaml refuses and go-yaml, with which Talos reads, takes.
///
/// Every character stands in for one character, so places are the same in both. What libyaml would
/// refuse is replaced by characters for private use that the text does not hold; in the texts of scalars
/// they are turned back. Where a replacement was not needed it does no harm. One pass over the text.
///
/// - DEL and the C1 control characters (go-yaml v4, so Talos 1.13 and later).
/// - A `:` that begins a plain scalar in a flow sequence, as in `[0.0.0.0/0, ::/0]` (v4 too).
/// - `\'` in double quotes (every release).
/// - A document end (`...`) before the first document (every release).
struct StandIn {
  let bytes: [UInt8]
  /// Private-use characters U+F0000 + `page` × 256 + code.
  private let page: UInt32

  private static let backslash: UInt32 = 1
  private static let colon: UInt32 = 2

  /// Nil if nothing has to be replaced, or nothing can.
  init?(for source: [UInt8]) {
    guard let page = Self.freePage(in: source) else { return nil }
    self.page = page
    var writer = Writer(source: source, page: page)
    bytes = writer.write()
    guard bytes != source else { return nil }
  }

  /// A scalar's text with the characters of the source.
  func restored(_ scalar: YAMLScalar) -> YAMLScalar {
    let first = 0xF0000 + page << 8
    guard scalar.text.unicodeScalars.contains(where: { $0.value >> 8 == first >> 8 }) else {
      return scalar
    }
    var text = String.UnicodeScalarView()
    for character in scalar.text.unicodeScalars {
      switch character.value {
      case first + Self.backslash:
        // The escape `\'` means an apostrophe; outside of double quotes it is two characters.
        if scalar.style != .doubleQuoted { text.append("\\") }
      case first + Self.colon: text.append(":")
      case first + 0x7F...first + 0x9F:
        text.append(Unicode.Scalar(UInt8(truncatingIfNeeded: character.value)))
      default: text.append(character)
      }
    }
    return YAMLScalar(text: String(text), style: scalar.style)
  }

  /// A page of private-use characters of which the text holds none.
  private static func freePage(in source: [UInt8]) -> UInt32? {
    var used: Set<UInt32> = []
    // What is no UTF-8 is refused later; here it must not be taken for a character.
    for index in source.indices.dropLast(2)
    where source[index] == 0xF3 && (0xB0...0xBF).contains(source[index + 1]) {
      let high = UInt32(source[index + 1] & 0x3F) << 12 | UInt32(source[index + 2] & 0x3F) << 6
      used.insert((0xC0000 + high - 0xF0000) >> 8)
    }
    return (0..<256).first { !used.contains($0) }
  }

  /// Writes the stand-in, character by character.
  private struct Writer {
    let source: [UInt8]
    let page: UInt32
    var out: [UInt8] = []
    /// The last character that is no white space, comments left out.
    var last: UInt8 = 0
    /// The same, with comments taken for text: a `#` may stand in quotes.
    var lastOfAll: UInt8 = 0
    var isComment = false
    var backslashes = 0

    init(source: [UInt8], page: UInt32) {
      (self.source, self.page) = (source, page)
      out.reserveCapacity(source.count)
    }

    mutating func write() -> [UInt8] {
      var index = 0
      index = writeHead(from: index)
      while index < source.count {
        let byte = source[index]
        let next = index + 1 < source.count ? source[index + 1] : 0
        if byte == 0x7F {
          put(0x7F)
        } else if byte == 0xC2, (0x80...0x9F).contains(next), next != 0x85 {
          put(UInt32(next))
          index += 1
        } else if byte == UInt8(ascii: "\\"), next == UInt8(ascii: "'"), backslashes % 2 == 0 {
          put(StandIn.backslash)
        } else if byte == UInt8(ascii: ":"), beginsPlain(next) {
          put(StandIn.colon)
        } else {
          out.append(byte)
        }
        note(byte, at: index)
        index += 1
      }
      return out
    }

    private mutating func put(_ code: UInt32) {
      let value = 0xF0000 + page << 8 + code
      out += [
        0xF0 | UInt8(value >> 18), 0x80 | UInt8(value >> 12 & 0x3F),
        0x80 | UInt8(value >> 6 & 0x3F),
        0x80 | UInt8(value & 0x3F),
      ]
    }

    /// Whether a plain scalar may begin before a character: in a flow collection, where something
    /// begins.
    private func beginsPlain(_ next: UInt8) -> Bool {
      let opening: [UInt8] = [UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ",")]
      let ends: [UInt8] = [0, 0x20, 0x09, 0x0A, 0x0D] + Array(",[]{}".utf8)
      return (opening.contains(last) || opening.contains(lastOfAll)) && !ends.contains(next)
    }

    private mutating func note(_ byte: UInt8, at index: Int) {
      backslashes = byte == UInt8(ascii: "\\") ? backslashes + 1 : 0
      if byte == 0x0A || byte == 0x0D { isComment = false }
      guard byte != 0x20, byte != 0x09, byte != 0x0A, byte != 0x0D else { return }
      if byte == UInt8(ascii: "#"), index == 0 || source[index - 1] <= 0x20 { isComment = true }
      lastOfAll = byte
      if !isComment { last = byte }
    }

    /// The lines before the first document: a document end among them becomes a comment.
    private mutating func writeHead(from start: Int) -> Int {
      var index = source.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : start
      out += source[start..<index]
      while index < source.count {
        var end = index
        while end < source.count, source[end] != 0x0A { end += 1 }
        let line = source[index..<end].prefix { $0 != UInt8(ascii: "#") }
        let isEnd = line.starts(with: Array("...".utf8))
        guard line.dropFirst(isEnd ? 3 : 0).allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D })
        else { return index }
        if isEnd {
          out.append(UInt8(ascii: "#"))
          index += 1
        }
        let next = min(end + 1, source.count)
        // A comment that may hold control characters is left to the walk over the rest.
        guard source[index..<next].allSatisfy({ $0 < 0x7F }) else { return index }
        out += source[index..<next]
        index = next
      }
      return index
    }
  }
}
