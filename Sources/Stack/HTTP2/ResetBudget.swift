internal import HTTP2Codes

/// How many streams a peer may make this end reset: so many at once, and so many more per second.
///
/// A peer whose own RST_STREAM are counted can break the rules on each of its streams instead, so that
/// the streams are reset for it while what they had begun still runs ("MadeYouReset", CVE-2025-8671).
struct ResetBudget {
  private let burst: Double
  private let rate: Double
  private var left: Double
  private var updated: ContinuousClock.Instant?

  init(burst: UInt64, perSecond rate: UInt64) {
    self.burst = Double(burst)
    self.rate = Double(rate)
    left = Double(burst)
  }

  var isSpent: Bool { left < 0 }

  /// A stream was reset with that error code.
  mutating func count(_ errorCode: HTTP2ErrorCode, now: ContinuousClock.Instant = .now) {
    if Self.tellsOfFault(errorCode) { count(now: now) }
  }

  /// A stream was reset.
  mutating func count(now: ContinuousClock.Instant = .now) {
    if let updated { left = min(burst, left + rate * ((now - updated) / .seconds(1))) }
    updated = now
    left -= 1
  }

  /// Whether the peer has caused the reset.
  private static func tellsOfFault(_ errorCode: HTTP2ErrorCode) -> Bool {
    switch errorCode {
    case .protocolError, .flowControlError, .streamClosed, .frameSizeError: true
    default: false
    }
  }
}
