/// How many digits the fraction of a second is written with.
public enum SecondFraction: Sendable, Hashable {
  case none, milliseconds, microseconds, nanoseconds
  /// None, 3, 6 or 9: the fewest that lose nothing, as the JSON of protobuf has them.
  case shortest

  /// The fraction with its point, rounded down; empty without digits.
  ///
  /// - Parameter nanoseconds: 0 to 999,999,999.
  public func text(_ nanoseconds: Int32) -> String {
    var text: [UInt8] = []
    append(nanoseconds, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  func append(_ nanoseconds: Int32, to text: inout [UInt8]) {
    let count =
      switch self {
      case .none: 0
      case .milliseconds: 3
      case .microseconds: 6
      case .nanoseconds: 9
      case .shortest:
        nanoseconds == 0 ? 0 : nanoseconds % 1_000_000 == 0 ? 3 : nanoseconds % 1_000 == 0 ? 6 : 9
      }
    guard count > 0 else { return }
    text.append(UInt8(ascii: "."))
    let unit: Int32 = count == 3 ? 1_000_000 : count == 6 ? 1_000 : 1
    DecimalDigits.append(Int64(nanoseconds / unit), digits: count, to: &text)
  }
}
