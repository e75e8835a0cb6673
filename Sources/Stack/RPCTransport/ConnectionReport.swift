internal import Synchronization

/// What an operator should know of a connection that was not served, or was ended, and of a request that was.
public struct ConnectionReport: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    /// There are too many connections.
    case refused = "connection refused"
    /// The system gives no descriptor or memory for a connection; it waits.
    case exhausted = "connection not accepted"
    /// The client has not come as far as HTTP/2.
    case handshakeFailed = "handshake failed"
    /// The client speaks another protocol than the listener.
    case foreignProtocol = "another protocol"
    /// The client has sent too much that costs work and is of no use.
    case flood = "flood ended"
    /// The client has broken the rules of HTTP/2.
    case ruleBroken = "protocol error"
    /// The client's certificate has expired, and its connection with it.
    case expired = "client certificate expired"
    /// The client takes nothing of what is sent to it, or gives no sign of life.
    case stalled = "stalled peer ended"
    /// The client has begun a request and does not go on with it.
    case requestUnfinished = "unfinished request ended"
    /// The requests that are kept in memory take all that they may.
    case requestRefused = "request refused for memory"
    /// The client has not taken an answer in time.
    case answerUntaken = "untaken answer ended"
    /// The client asks for more than it takes.
    case readerTooSlow = "slow reader ended"

    /// Whether a single request or its answer was ended, while the connection went on.
    public var isOfRequest: Bool {
      switch self {
      case .requestUnfinished, .requestRefused, .answerUntaken, .readerTooSlow: true
      case .refused, .exhausted, .handshakeFailed, .foreignProtocol, .flood, .ruleBroken, .expired,
        .stalled:
        false
      }
    }
  }

  public var kind: Kind
  /// Where the client has come in: `unix:PATH` or `HOST:PORT`.
  public var listener: String
  public var peer: String
  public var reason: String
  /// How many reports of the kind were left out before this one, because they came too fast.
  public var omitted: Int
}

/// Hands reports on, those of one kind not faster than they can be read.
final class ReportDesk: Sendable {
  private let tell: (@Sendable (ConnectionReport) -> Void)?
  private let budgets = Mutex<[ConnectionReport.Kind: ReportBudget]>([:])
  private let happened = Mutex<[ConnectionReport.Kind: Int]>([:])

  init(_ tell: (@Sendable (ConnectionReport) -> Void)?) { self.tell = tell }

  /// How often each kind has happened, those times among them that were not told of.
  var counts: [ConnectionReport.Kind: Int] { happened.withLock { $0 } }

  func report(
    _ kind: ConnectionReport.Kind, listener: String, peer: String,
    _ reason: @autoclosure () -> String
  ) {
    happened.withLock { $0[kind, default: 0] += 1 }
    guard let tell else { return }
    let omitted = budgets.withLock { $0[kind, default: ReportBudget()].take(now: .now) }
    guard let omitted else { return }
    tell(
      ConnectionReport(
        kind: kind, listener: listener, peer: peer, reason: reason(), omitted: omitted))
  }
}

/// How many reports of one kind may be made: a few at once, then one in ten seconds.
struct ReportBudget {
  private static let burst = 5
  private static let pause = Duration.seconds(10)

  private var left = Self.burst
  private var refilled: ContinuousClock.Instant?
  private var omitted = 0

  /// A report is to be made.
  ///
  /// - Returns: nil when there are too many; else how many were left out since the last one.
  mutating func take(now: ContinuousClock.Instant) -> Int? {
    let since = refilled ?? now
    let earned = Int((now - since) / Self.pause)
    left = min(Self.burst, left + earned)
    refilled = left == Self.burst ? now : since + Self.pause * earned
    guard left > 0 else {
      omitted += 1
      return nil
    }
    left -= 1
    defer { omitted = 0 }
    return omitted
  }
}
