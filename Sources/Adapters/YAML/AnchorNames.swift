/// Names for anchors that stand in for those which libyaml refuses and go-yaml v4, with which Talos 1.13 and
/// later read, takes.
///
/// To libyaml a name is letters, digits, `-` and `_`. To go-yaml v4 it is every ASCII character that is
/// printed, but blanks, `:` and the brackets and commas of flow collections. A name is replaced where
/// libyaml has refused it, so nothing but a name ever is, by one of the same length that the text does
/// not hold.
struct AnchorNames {
  /// The text with the names that stand in.
  private(set) var bytes: [UInt8]
  private var standIns: [String: String] = [:]
  private var originals: [String: String] = [:]
  private var taken: Set<String>
  private var replaced = 0

  /// Each replacement costs a reading of the text, so there may not be many.
  static let limit = 32

  init(_ source: [UInt8]) {
    bytes = source
    taken = Self.names(in: source)
  }

  /// The name that the source has where the text has `name`.
  func original(_ name: String?) -> String? { name.map { originals[$0] ?? $0 } }

  /// Replaces the name behind the `&` or `*` at `offset`.
  ///
  /// - Returns: whether there was one that go-yaml takes, and that could be replaced.
  mutating func replaceName(at offset: Int) -> Bool {
    guard replaced < Self.limit, offset < bytes.count, Self.isIndicator(bytes[offset]) else {
      return false
    }
    let end = bytes[(offset + 1)...].firstIndex { !Self.isNameByte($0) } ?? bytes.count
    let range = offset + 1..<end
    guard !range.isEmpty, !bytes[range].allSatisfy(Self.isPlainByte),
      end == bytes.count || bytes[end] <= 0x20 || Array(":,]}".utf8).contains(bytes[end])
    else { return false }
    let name = String(decoding: bytes[range], as: UTF8.self)
    guard let standIn = standIns[name] ?? freeName(range.count) else { return false }
    standIns[name] = standIn
    originals[standIn] = name
    taken.insert(standIn)
    replaced += 1
    bytes.replaceSubrange(range, with: Array(standIn.utf8))
    return true
  }

  /// The same names in another text that has them too.
  func moved(to bytes: [UInt8]) -> AnchorNames {
    var moved = self
    moved.bytes = bytes
    return moved
  }

  private func freeName(_ length: Int) -> String? {
    // One more candidate than there are names: one of them is free, unless the name is too short for that.
    for number in 0...taken.count {
      let digits = String(number, radix: 36)
      guard digits.utf8.count <= length else { return nil }
      let name = String(repeating: "0", count: length - digits.utf8.count) + digits
      if !taken.contains(name) { return name }
    }
    return nil
  }

  /// Whatever may be a name in a text.
  private static func names(in source: [UInt8]) -> Set<String> {
    var names: Set<String> = []
    for index in source.indices where isIndicator(source[index]) {
      let name = source[(index + 1)...].prefix { isPlainByte($0) }
      if !name.isEmpty { names.insert(String(decoding: name, as: UTF8.self)) }
    }
    return names
  }

  static func isIndicator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*")
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    (0x21...0x7E).contains(byte) && !Array(":,[]{}".utf8).contains(byte)
  }

  /// A character that libyaml takes too.
  private static func isPlainByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
