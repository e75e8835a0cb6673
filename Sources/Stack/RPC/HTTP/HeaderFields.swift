/// The fields of one HTTP header block in wire order, names in lower case.
///
/// All names and values stand in one byte array, with the offsets at which they end: a block costs
/// two allocations however many fields it has. Values are bytes; HTTP gives them no encoding.
public struct HeaderFields: Sendable, Equatable {
  package var bytes: [UInt8]
  /// For field `i`, `ends[2i]` is where its name ends and `ends[2i + 1]` where its value ends.
  package var ends: [UInt32]

  public init() {
    bytes = []
    ends = []
  }

  package init(bytes: [UInt8], ends: [UInt32]) {
    self.bytes = bytes
    self.ends = ends
  }

  public init(_ fields: KeyValuePairs<String, String>) {
    self.init()
    for (name, value) in fields { append(name, value) }
  }

  public var count: Int { ends.count / 2 }

  /// What the block counts against a limit: its bytes, and 32 for each field (RFC 9113 section 6.5.2).
  var listBytes: Int { bytes.count + 32 * count }

  public mutating func append(_ name: String, _ value: String) {
    bytes.append(contentsOf: name.utf8)
    ends.append(UInt32(bytes.count))
    bytes.append(contentsOf: value.utf8)
    ends.append(UInt32(bytes.count))
  }

  package func nameRange(_ i: Int) -> Range<Int> {
    (i == 0 ? 0 : Int(ends[2 * i - 1]))..<Int(ends[2 * i])
  }

  package func valueRange(_ i: Int) -> Range<Int> { Int(ends[2 * i])..<Int(ends[2 * i + 1]) }

  public func name(_ i: Int) -> String { String(decoding: bytes[nameRange(i)], as: UTF8.self) }

  public func value(_ i: Int) -> String { String(decoding: bytes[valueRange(i)], as: UTF8.self) }

  package func nameEquals(_ i: Int, _ name: StaticString) -> Bool {
    matches(nameRange(i), name)
  }

  package func valueEquals(_ i: Int, _ value: StaticString) -> Bool {
    matches(valueRange(i), value)
  }

  package func valueHasPrefix(_ i: Int, _ prefix: StaticString) -> Bool {
    let range = valueRange(i)
    guard range.count >= prefix.utf8CodeUnitCount else { return false }
    return matches(range.lowerBound..<range.lowerBound + prefix.utf8CodeUnitCount, prefix)
  }

  /// The value of the first field of that name, as text.
  public func first(_ name: StaticString) -> String? {
    for i in 0..<count where nameEquals(i, name) { return value(i) }
    return nil
  }

  private func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    let span = bytes.span
    return text.withUTF8Buffer { expected in
      for k in 0..<expected.count where span[range.lowerBound + k] != expected[k] { return false }
      return true
    }
  }
}
