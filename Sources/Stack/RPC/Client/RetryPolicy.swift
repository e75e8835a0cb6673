internal import Synchronization

/// When a failed call is made again (gRFC A6). Only for calls whose request is one message.
public struct RetryPolicy: Sendable {
  /// Attempts in all, the first included; at most 5 count.
  public var maxAttempts: Int
  public var initialBackoff: Duration
  public var maxBackoff: Duration
  public var backoffMultiplier: Double
  /// The codes after which a call may be made again. A server may have worked on such a call.
  public var retryableCodes: Set<StatusCode>

  public init(
    maxAttempts: Int = 3, initialBackoff: Duration = .milliseconds(100),
    maxBackoff: Duration = .seconds(2), backoffMultiplier: Double = 2,
    retryableCodes: Set<StatusCode> = [.unavailable]
  ) {
    self.maxAttempts = maxAttempts
    self.initialBackoff = initialBackoff
    self.maxBackoff = maxBackoff
    self.backoffMultiplier = backoffMultiplier
    self.retryableCodes = retryableCodes
  }

  /// Whether a failure counts for the throttle: it is one that could be tried again, or the server asks for
  /// nothing to be (gRFC A6, "Throttling Retry Attempts and Hedged RPCs").
  func counts(_ error: RPCError) -> Bool {
    retryableCodes.contains(error.code) || error.pushback.map { $0 < 0 } ?? false
  }

  /// How long to wait before attempt `next` (the second is 2), drawn from zero to the backoff, or
  /// what the server asked for; nil when the call may not be made again.
  func delay(before next: Int, after error: RPCError) -> Duration? {
    guard next <= min(maxAttempts, 5), retryableCodes.contains(error.code) else { return nil }
    if let pushback = error.pushback {
      return pushback >= 0 ? .milliseconds(pushback) : nil
    }
    var backoff = initialBackoff
    for _ in 0..<(next - 2) { backoff = min(backoff * backoffMultiplier, maxBackoff) }
    return min(backoff, maxBackoff) * Double.random(in: 0...1)
  }
}

extension RPCError {
  /// `grpc-retry-pushback-ms`: milliseconds to wait, negative for never again.
  fileprivate var pushback: Int? {
    guard let text = metadata["grpc-retry-pushback-ms"] else { return nil }
    return Int(text) ?? -1
  }
}

/// Stops retries when too many calls fail (gRFC A6, "Throttling Retry Attempts").
final class RetryThrottle: Sendable {
  private let tokens = Mutex(10.0)
  private static let maximum = 10.0
  private static let ratio = 0.1

  func succeeded() { tokens.withLock { $0 = min(Self.maximum, $0 + Self.ratio) } }

  /// Whether a retry is allowed after this failure.
  func failed() -> Bool {
    tokens.withLock { tokens in
      tokens = max(0, tokens - 1)
      return tokens > Self.maximum / 2
    }
  }
}
