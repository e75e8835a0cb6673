/// Counts the pings of a client that come too often (gRFC A8, "Server Enforcement").
///
/// Pings that come while responses leave are no abuse: grpc-go probes the bandwidth with one in each
/// round trip. Nor are those of a client with a call under way, whose watch may be silent for minutes.
struct PingStrikes {
  /// How far apart pings have to be while no call is under way.
  var idleInterval: Duration
  /// The same while calls are under way, if it is the shorter one. Clients commonly ping every 10 s,
  /// and the network may bring two pings closer together than they were sent.
  static let intervalInCalls = Duration.seconds(9)
  private static let most = 3

  private var last: ContinuousClock.Instant?
  private var strikes = 0

  init(idleInterval: Duration) { self.idleInterval = idleInterval }

  /// A ping has come.
  ///
  /// - Parameter hasSentResponse: HEADERS or DATA have left since the ping before.
  /// - Returns: whether the client has to be sent away.
  mutating func pinged(
    now: ContinuousClock.Instant, hasSentResponse: Bool, isInCall: Bool
  ) -> Bool {
    defer { last = now }
    if hasSentResponse {
      strikes = 0
      return false
    }
    let interval = isInCall ? min(idleInterval, Self.intervalInCalls) : idleInterval
    guard let last, now - last < interval else { return false }
    strikes += 1
    return strikes == Self.most
  }
}
