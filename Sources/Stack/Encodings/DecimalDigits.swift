/// Numbers with a fixed count of digits, as dates have them.
enum DecimalDigits {
  /// Appends a number with zeros before it. A number that needs more digits has more, a negative one its sign.
  static func append(_ number: Int64, digits: Int, to text: inout [UInt8]) {
    if number < 0 { text.append(UInt8(ascii: "-")) }
    var divisor: UInt64 = 1
    for _ in 1..<digits { divisor *= 10 }
    var rest = number.magnitude
    while rest / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      text.append(UInt8(truncatingIfNeeded: rest / divisor) + 0x30)
      rest %= divisor
      divisor /= 10
    }
  }
}
