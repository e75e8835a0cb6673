/// Asks the peer for a sign of life when none came for the interval, and gives the connection up when the
/// timeout passes without one (gRFC A8).
///
/// Pure: the driver keeps the one timer that is asked for, and says when the timer has fired.
struct Keepalive: Equatable {
  enum State: Equatable {
    case listening
    /// The peer was asked, and has the timeout to answer.
    case asked
  }

  enum Effect: Equatable {
    /// Nothing to do for so long.
    case wait(Duration)
    /// Send PING; the peer has so long to give a sign of life.
    case ping(timeout: Duration)
    /// The peer has been silent for so long: the connection is lost.
    case lost(after: Duration)
  }

  let interval: Duration
  let timeout: Duration
  /// Whether the peer is asked while no stream is open.
  let whenIdle: Bool
  private(set) var state = State.listening

  init(interval: Duration, timeout: Duration, whenIdle: Bool) {
    self.interval = interval
    self.timeout = timeout
    self.whenIdle = whenIdle
  }

  /// The timer has fired.
  ///
  /// - Parameters:
  ///   - hasReceived: something has come from the peer since the timer was set.
  ///   - isIdle: no stream is open.
  mutating func due(hasReceived: Bool, isIdle: Bool) -> Effect {
    switch state {
    case .asked where !hasReceived: return .lost(after: interval + timeout)
    case .listening where !hasReceived && (whenIdle || !isIdle):
      state = .asked
      return .ping(timeout: timeout)
    case .listening, .asked:
      state = .listening
      return .wait(interval)
    }
  }
}
