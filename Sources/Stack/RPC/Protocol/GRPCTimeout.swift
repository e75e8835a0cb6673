/// The `grpc-timeout` header: at most eight digits and a unit (gRPC HTTP/2 document).
package enum GRPCTimeout {
  /// The duration, or nil when the text is malformed.
  package static func parse(_ text: some BidirectionalCollection<UInt8>) -> Duration? {
    guard text.count >= 2, text.count <= 9 else { return nil }
    var number: Int64 = 0
    for byte in text.dropLast() {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      number = number * 10 + Int64(byte - 0x30)
    }
    switch text.last.map({ UnicodeScalar($0) }) {
    case "H": return .seconds(number * 3600)
    case "M": return .seconds(number * 60)
    case "S": return .seconds(number)
    case "m": return .milliseconds(number)
    case "u": return .microseconds(number)
    case "n": return .nanoseconds(number)
    default: return nil
    }
  }

  /// The header for a duration, in the finest unit whose number fits, never shorter than it.
  package static func format(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    if seconds < 0 || (seconds == 0 && attoseconds <= 0) { return "1n" }
    let units: [(Character, perSecond: Int64)] = [
      ("n", 1_000_000_000), ("u", 1_000_000), ("m", 1000), ("S", 1),
    ]
    for (unit, perSecond) in units {
      let (whole, overflow) = seconds.multipliedReportingOverflow(by: perSecond)
      if overflow { continue }
      let perUnit = 1_000_000_000_000_000_000 / perSecond
      let number = whole + (attoseconds + perUnit - 1) / perUnit
      if number <= 99_999_999 { return "\(number)\(unit)" }
    }
    let minutes = seconds / 60 + 1
    if minutes <= 99_999_999 { return "\(minutes)M" }
    return "\(min(minutes / 60 + 1, 99_999_999))H"
  }
}
