internal import RPC

/// The life of a server's connection above HTTP/2: when it takes calls, and how it comes to its end.
///
/// ```
/// greeting ──SETTINGS──► serving ──drain──► draining ──the peer has seen it, or is silent──► leaving
///     └──────── drain ────────┴──────────────────┴──── closed ────┴────► over
/// ```
/// Pure: no clock, no session. The driver is `ServerConnection`.
struct ServerLife {
  enum State: Equatable {
    /// The peer has not begun to speak HTTP/2.
    case greeting
    case serving
    /// The first GOAWAY has left: no new calls, but those on the way are taken (RFC 9113 section 6.8).
    case draining
    /// The last GOAWAY has left: what the peer sends from here on is the peer's own risk.
    case leaving
    case over
  }

  enum Effect: Equatable {
    case none
    /// The peer speaks HTTP/2: from here on the connection lives by its limits.
    case begin
    /// Send the first GOAWAY, and PING to learn that the peer has seen it; wait for so long.
    case announce(patience: Duration)
    /// Send the last GOAWAY.
    case sendLastGoAway
    /// End the connection, if there is nothing left to send.
    case finish
    /// A connection without streams is drained after its greatest idle time.
    case watchIdle
    case close(ConnectionEnd)
  }

  private(set) var state = State.greeting
  /// The server ends the connection for reasons of its own.
  private(set) var isOwnWish = false
  /// The client's certificate is not valid any more: nothing more is done for the client.
  private(set) var hasExpired = false

  var isGreeting: Bool { state == .greeting }

  /// The peer's SETTINGS have come.
  mutating func settingsReceived() -> Effect {
    guard state == .greeting else { return .none }
    state = .serving
    return .begin
  }

  /// No stream is open any more.
  func streamsEnded() -> Effect {
    switch state {
    case .serving: .watchIdle
    case .draining, .leaving: .finish
    case .greeting, .over: .none
    }
  }

  /// The connection takes no new calls, lets those under way finish, and then closes.
  ///
  /// - Parameter patience: how long the peer may take to say that it knows.
  mutating func drain(patience: Duration) -> Effect {
    switch state {
    case .greeting:
      // Nothing can be under way for a peer that has not begun to speak HTTP/2.
      isOwnWish = true
      return .close(.closed("the server takes no new calls"))
    case .serving:
      state = .draining
      return .announce(patience: patience)
    case .draining, .leaving, .over: return .none
    }
  }

  /// The peer has seen the first GOAWAY, or was silent for too long.
  mutating func announced() -> Effect {
    guard state == .draining else { return .none }
    state = .leaving
    return .sendLastGoAway
  }

  /// The client's certificate, or one that certifies it, has expired.
  mutating func expired(grace: Duration) -> Effect {
    hasExpired = true
    // A client that does not listen is answered for as long.
    return drain(patience: grace)
  }

  /// The server ends the connection at once.
  mutating func ended() { isOwnWish = true }

  /// The connection is over.
  ///
  /// - Returns: whether the peer has never come as far as HTTP/2, and that was not the server's wish.
  mutating func closed() -> Bool {
    defer { state = .over }
    return state == .greeting && !isOwnWish
  }
}
