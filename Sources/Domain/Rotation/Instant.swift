internal import Encodings

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted (Unix time).
///
/// The domain never asks what time it is; it is told. Covers the years 1678 to 2262.
public struct Instant: Sendable, Hashable, Comparable {
  /// Nanoseconds since the Unix epoch; negative before it.
  public var nanosecondsSince1970: Int64

  public init(nanosecondsSince1970: Int64) {
    self.nanosecondsSince1970 = nanosecondsSince1970
  }

  /// The instant `seconds` after the Unix epoch.
  public init(secondsSince1970 seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    nanosecondsSince1970 = overflow ? (seconds < 0 ? .min : .max) : product
  }

  /// Whole seconds since the Unix epoch, rounded down.
  public var secondsSince1970: Int64 {
    let quotient = nanosecondsSince1970 / 1_000_000_000
    return nanosecondsSince1970 % 1_000_000_000 < 0 ? quotient - 1 : quotient
  }

  public static func < (a: Self, b: Self) -> Bool {
    a.nanosecondsSince1970 < b.nanosecondsSince1970
  }

  /// The instant `duration` later; held at the ends of the range instead of overflowing.
  public func advanced(by duration: Duration) -> Instant {
    let delta = duration.wholeNanoseconds
    let (sum, overflow) = nanosecondsSince1970.addingReportingOverflow(delta)
    return Instant(nanosecondsSince1970: overflow ? (delta < 0 ? .min : .max) : sum)
  }

  /// How long it is from here to `other`; negative when `other` is earlier.
  public func duration(to other: Instant) -> Duration {
    .nanoseconds(other.nanosecondsSince1970) - .nanoseconds(nanosecondsSince1970)
  }
}

extension Instant: CustomStringConvertible {
  /// The time in UTC to the second, as RFC 3339 writes it: `2026-11-23T17:42:58Z`.
  public var description: String { RFC3339.text(secondsSince1970: secondsSince1970) }
}

extension Duration {
  /// The duration in nanoseconds, held at the ends of `Int64`.
  fileprivate var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carried) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? (seconds < 0 ? .min : .max) : sum
  }
}
