internal import Reactor

/// What a connection waits for. Of each kind one timer runs at most.
enum ConnectionTimer: Int {
  /// The peer has to begin to speak HTTP/2, or a connection to be made.
  case handshake
  /// A header block has to end.
  case head
  /// A connection without streams is kept for a while only.
  case idle
  /// The connection has reached its greatest age, or its streams the end of the grace after that.
  case age
  /// The peer has to say that it has seen the first GOAWAY.
  case drain
  /// The client's certificate is looked at again, or the grace after its end is over.
  case expiry
  case keepalive
  /// It is looked whether the peer takes what waits for it.
  case unsent
  /// It is looked whether the peer goes on with the requests that it has begun.
  case request
  /// The peer has to take the reason why it is sent away.
  case condemned
  /// The peer takes nothing any more, but may still say why.
  case lastWords
  /// The peer has to close a connection on which this side has said all.
  case linger
}

/// The timers of one connection. Confined to its loop.
struct ConnectionTimers {
  private let loop: EventLoop
  /// By kind; 0 where none runs. Ten thousand connections are idle: numbers in a row cost least.
  private var running: [12 of UInt64] = .init(repeating: 0)

  init(_ loop: EventLoop) { self.loop = loop }

  func runs(_ timer: ConnectionTimer) -> Bool { running[timer.rawValue] != 0 }

  /// Starts a timer, in place of one of the kind that runs.
  mutating func start(
    _ timer: ConnectionTimer, after delay: Duration, _ work: @escaping @Sendable () -> Void
  ) {
    stop(timer)
    running[timer.rawValue] = loop.addTimer(after: delay, work)
  }

  /// Stops a timer, or forgets one that has fired.
  mutating func stop(_ timer: ConnectionTimer) {
    guard runs(timer) else { return }
    loop.cancelTimer(running[timer.rawValue])
    running[timer.rawValue] = 0
  }

  /// Stops all timers but one.
  mutating func stopAll(but kept: ConnectionTimer? = nil) {
    for index in running.indices where index != kept?.rawValue && running[index] != 0 {
      loop.cancelTimer(running[index])
      running[index] = 0
    }
  }
}
