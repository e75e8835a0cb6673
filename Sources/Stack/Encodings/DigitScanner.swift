/// Reads the digits of dates and lengths of time from ASCII text.
public struct DigitScanner {
  private var rest: Substring.UTF8View

  public init(_ text: String) { rest = Substring(text).utf8 }

  public var isAtEnd: Bool { rest.isEmpty }

  /// Takes `character` if it is next.
  public mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// Takes one of a few words if it is next, and gives its place among them.
  mutating func take(oneOf words: [String]) -> Int? {
    guard let index = words.firstIndex(where: { rest.starts(with: $0.utf8) }) else { return nil }
    rest = rest.dropFirst(words[index].utf8.count)
    return index
  }

  /// A number of exactly `count` digits, at most 18.
  public mutating func number(digits count: Int) -> Int64? {
    let digits = rest.prefix(count)
    guard digits.count == count, digits.allSatisfy(DigitScanner.isDigit) else { return nil }
    rest = rest.dropFirst(count)
    return digits.reduce(0) { 10 * $0 + Int64($1 - 0x30) }
  }

  /// A number of at least one digit; nil also when it is beyond 18 digits.
  public mutating func number() -> Int64? {
    let count = rest.prefix(while: DigitScanner.isDigit).count
    return (1...18).contains(count) ? number(digits: count) : nil
  }

  /// What becomes of the digits of a fraction behind the ninth.
  public enum LongFraction: Sendable, Hashable { case refused, cut }

  /// The nanoseconds of a fraction: a point and digits. 0 when there is no point, nil when it is malformed.
  public mutating func fraction(_ long: LongFraction = .refused) -> Int32? {
    guard take(".") else { return 0 }
    let count = rest.prefix(while: DigitScanner.isDigit).count
    let counted = min(count, 9)
    guard count >= 1, long == .cut || count <= 9, let value = number(digits: counted) else {
      return nil
    }
    rest = rest.dropFirst(count - counted)
    return Int32((counted..<9).reduce(value) { value, _ in 10 * value })
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
