public import HTTP2
public import RPC

/// Limits and times of a client's connection.
public struct ChannelConfiguration: Sendable {
  public var http2 = HTTP2Settings()
  /// How long connecting may take, with TLS and the server's HTTP/2 settings.
  public var connectTimeout: Duration = .seconds(20)
  /// How long sent bytes may stay unacknowledged before the connection counts as lost.
  public var unacknowledgedTimeout: Duration = .seconds(20)

  /// Whether a connection that was lost is made anew. Without, all calls of the channel are made over one connection, and
  /// fail once that has ended: for callers to whom it matters that the same peer answers all of them.
  public var reconnects = true
  /// How long to wait between attempts to connect.
  public var backoff = ConnectionBackoff()
  /// A connection with calls that was silent for this long is asked for a sign of life; nil never
  /// asks. Servers may refuse to be asked more often than every five minutes (gRFC A8): each time one
  /// ends the connection for that, the channel doubles its interval.
  public var keepaliveInterval: Duration?
  public var keepaliveTimeout: Duration = .seconds(20)
  /// How long an attempt may take before the next address is tried beside it (RFC 8305).
  public var nextAddressDelay: Duration = .milliseconds(250)
  /// Finds the addresses of a host, in text form and the preferred ones first; asked again for each
  /// attempt to connect. Nil asks the system.
  public var lookUp: (@Sendable (_ host: String) async throws(RPCError) -> [String])?
  /// Tells whether the server takes calls; nil takes a connection for enough.
  public var readinessProbe: (any ReadinessProbe)?

  public init() {}
}

/// The pauses between attempts to connect (gRPC connection backoff document).
public struct ConnectionBackoff: Sendable {
  public var initial: Duration = .seconds(1)
  public var maximum: Duration = .seconds(120)
  public var multiplier = 1.6
  public var jitter = 0.2

  public init() {}

  /// For a caller that paces its own attempts.
  public static var eager: ConnectionBackoff {
    var backoff = ConnectionBackoff()
    backoff.initial = .milliseconds(20)
    backoff.maximum = .milliseconds(500)
    return backoff
  }

  /// The pause after that many failures in a row.
  func delay(afterFailures failures: Int) -> Duration {
    var delay = initial
    for _ in 1..<max(1, min(failures, 64)) { delay = min(delay * multiplier, maximum) }
    return min(delay, maximum) * Double.random(in: 1 - jitter...1 + jitter)
  }
}
