/// A JSON number, kept as it was written, so that no digit is lost.
public struct JSONNumber: Sendable, Hashable, CustomStringConvertible {
  /// Valid by JSON's grammar.
  public let text: String

  init(validText text: String) { self.text = text }

  /// Nil when it is not a number by JSON's grammar.
  public init?(parsing text: String) {
    let isNumber = Array(text.utf8).withUnsafeBufferPointer { JSONParser.isNumber($0) }
    guard isNumber else { return nil }
    self.text = text
  }

  public init(_ value: Int64) { text = String(value) }
  public init(_ value: UInt64) { text = String(value) }

  /// Nil for infinities and NaN, which JSON cannot write.
  public init?(_ value: Double) {
    guard value.isFinite else { return nil }
    text = JSONNumber.withoutFraction(value.description)
  }

  /// The shortest text that gives the same float back.
  init?(_ value: Float) {
    guard value.isFinite else { return nil }
    text = JSONNumber.withoutFraction(value.description)
  }

  private static func withoutFraction(_ text: String) -> String {
    text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  public var description: String { text }

  /// The nearest double; nil if it is beyond what a double holds.
  public var double: Double? {
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }

  /// The value if it is an integer of 64 bits, however it is written (`1000`, `1e3`, `1000.0`).
  public var int64: Int64? {
    if let value = Int64(text) { return value }
    guard let (isNegative, magnitude) = integer else { return nil }
    if isNegative {
      return magnitude <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }
    return Int64(exactly: magnitude)
  }

  /// The value if it is an unsigned integer of 64 bits.
  public var uint64: UInt64? {
    if let value = UInt64(text) { return value }
    guard let (isNegative, magnitude) = integer, !isNegative || magnitude == 0 else { return nil }
    return magnitude
  }

  /// Sign and magnitude of an integer that may have a fraction of zeros and an exponent. Exact, and
  /// quick however large the exponent.
  private var integer: (Bool, UInt64)? {
    var isNegative = false
    var digits: [UInt8] = []
    var fractionDigits = 0
    var inFraction = false
    var exponent = 0
    var exponentText: Substring?
    for (index, byte) in zip(text.indices, text.utf8) {
      switch byte {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "."): inFraction = true
      case UInt8(ascii: "e"), UInt8(ascii: "E"):
        exponentText = text[text.index(after: index)...]
      default:
        digits.append(byte - UInt8(ascii: "0"))
        if inFraction { fractionDigits += 1 }
      }
      if exponentText != nil { break }
    }
    let significant = digits.drop { $0 == 0 }
    if significant.isEmpty { return (isNegative, 0) }
    if let exponentText {
      // An exponent that is no Int is out of every range.
      guard let value = Int(exponentText), abs(value) < 1 << 40 else { return nil }
      exponent = value
    }
    exponent -= fractionDigits
    var kept = significant[...]
    while exponent < 0, kept.last == 0 {
      kept.removeLast()
      exponent += 1
    }
    guard exponent >= 0, kept.count + exponent <= 20 else { return nil }
    var magnitude: UInt64 = 0
    for digit in kept + Array(repeating: 0, count: exponent) {
      let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
      guard !overflow, !carry else { return nil }
      magnitude = sum
    }
    return (isNegative, magnitude)
  }
}
