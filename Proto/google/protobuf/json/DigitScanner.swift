/// Reads the digits of dates and lengths of time from ASCII text.
struct DigitScanner {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = Substring(text).utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  /// Takes `character` if it is next.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// A number of exactly `count` digits.
  mutating func number(digits count: Int) -> Int64? {
    let digits = rest.prefix(count)
    guard digits.count == count, digits.allSatisfy(DigitScanner.isDigit) else { return nil }
    rest = rest.dropFirst(count)
    return digits.reduce(0) { 10 * $0 + Int64($1 - UInt8(ascii: "0")) }
  }

  /// A number of at least one digit; nil also when it is beyond 18 digits.
  mutating func number() -> Int64? {
    let count = rest.prefix(while: DigitScanner.isDigit).count
    return (1...18).contains(count) ? number(digits: count) : nil
  }

  /// The nanoseconds of a fraction: a point and one to nine digits. 0 when there is no point, nil
  /// when it is malformed.
  mutating func fraction() -> Int32? {
    guard take(".") else { return 0 }
    let count = rest.prefix(while: DigitScanner.isDigit).count
    guard (1...9).contains(count), let value = number(digits: count) else { return nil }
    return Int32((count..<9).reduce(value) { value, _ in 10 * value })
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

/// The fraction of a second with 0, 3, 6 or 9 digits, point included, as canonical JSON has it.
func canonicalFraction(nanos: Int32) -> String {
  if nanos == 0 { return "" }
  let digits = String(1_000_000_000 + nanos).dropFirst()
  if nanos % 1_000_000 == 0 { return "." + digits.prefix(3) }
  return "." + (nanos % 1_000 == 0 ? digits.prefix(6) : digits)
}
