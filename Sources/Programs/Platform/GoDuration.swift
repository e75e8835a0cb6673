/// Durations as Go writes and reads them: `90s`, `5m`, `1h30m`, `1.5h`, `250ms`, `0`.
public enum GoDuration {
  /// Why a text is no duration.
  public struct Malformed: Error, Equatable {
    /// What is wrong, to be said behind the text: `is not a duration: …`.
    public var reason: String
  }

  /// Reads a duration with Go's grammar: decimal numbers, each with a unit (`ns`, `us`, `µs`, `ms`,
  /// `s`, `m`, `h`), one after the other; `0` needs no unit.
  ///
  /// - Throws: for anything else, for a negative duration, and for one beyond Go's range of
  ///   2^63 - 1 nanoseconds (292 years).
  public static func parse(_ text: String) throws(Malformed) -> Duration {
    var rest = text[...]
    if rest.hasPrefix("-") { throw Malformed(reason: "must not be negative") }
    if rest.hasPrefix("+") { rest = rest.dropFirst() }
    if rest == "0" { return .zero }
    guard !rest.isEmpty else { throw malformed }
    var total: Int64 = 0
    while !rest.isEmpty {
      let part = try element(&rest)
      let (sum, overflow) = total.addingReportingOverflow(part)
      if overflow { throw tooLong }
      total = sum
    }
    return .nanoseconds(total)
  }

  /// One number with its unit, in nanoseconds.
  private static func element(_ rest: inout Substring) throws(Malformed) -> Int64 {
    let whole = digits(&rest)
    var fraction: Substring = ""
    if rest.first == "." {
      rest = rest.dropFirst()
      fraction = digits(&rest)
    }
    guard !whole.isEmpty || !fraction.isEmpty else { throw malformed }
    let unit = rest.prefix { $0 != "." && !isDigit($0) }
    rest = rest.dropFirst(unit.count)
    if unit.isEmpty { throw Malformed(reason: "needs a unit, as in 90s, 5m or 1h30m") }
    guard let scale = nanoseconds(per: unit) else {
      throw Malformed(reason: "has no known unit: use ms, s, m or h, as in 90s, 5m or 1h30m")
    }
    guard let number = whole.isEmpty ? 0 : Int64(whole) else { throw tooLong }
    let (product, overflow) = number.multipliedReportingOverflow(by: scale)
    if overflow { throw tooLong }
    let (sum, carry) = product.addingReportingOverflow(part(fraction, of: scale))
    if carry { throw tooLong }
    return sum
  }

  /// `0.fraction × scale`, rounded down. The scales have at most 13 digits, so digits beyond the
  /// eighteenth do not matter.
  private static func part(_ fraction: Substring, of scale: Int64) -> Int64 {
    let kept = fraction.prefix(18)
    guard let value = UInt64(kept) else { return 0 }
    var power: UInt64 = 1
    for _ in kept { power *= 10 }
    let product = UInt64(scale).multipliedFullWidth(by: value)
    return Int64(power.dividingFullWidth(product).quotient)
  }

  private static func digits(_ rest: inout Substring) -> Substring {
    let found = rest.prefix(while: isDigit)
    rest = rest.dropFirst(found.count)
    return found
  }

  private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

  private static func nanoseconds(per unit: Substring) -> Int64? {
    switch unit {
    case "ns": 1
    case "us", "µs", "μs": 1000
    case "ms": 1_000_000
    case "s": 1_000_000_000
    case "m": 60_000_000_000
    case "h": 3_600_000_000_000
    default: nil
    }
  }

  /// The duration in the shortest such form: `1h30m`, `5m`, `250ms`, `0s`. Rounded down to
  /// milliseconds.
  public static func text(_ duration: Duration) -> String {
    let (whole, attoseconds) = duration.components
    let milliseconds = attoseconds / 1_000_000_000_000_000
    var text = ""
    if whole >= 3600 { text += "\(whole / 3600)h" }
    if whole / 60 % 60 != 0 { text += "\(whole / 60 % 60)m" }
    if whole % 60 != 0 { text += "\(whole % 60)s" }
    if milliseconds != 0 { text += "\(milliseconds)ms" }
    return text.isEmpty ? "0s" : text
  }

  private static let malformed = Malformed(reason: "is not a duration: write 90s, 5m or 1h30m")
  private static let tooLong = Malformed(reason: "is too long: at most 292 years")
}
