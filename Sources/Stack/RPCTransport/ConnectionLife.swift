internal import RPC

/// The life of a connection below its streams.
///
/// ```
/// handshaking ──TLS is through──► open ──a write fails──► deaf
///      │                            │                       │
///      └────────── closed ──────────┴───────────────────────┤
///                                                           ├──nothing left to say──► released
///                                                           └──last word──► lingering ──► released
/// ```
/// Pure: no socket, no timer. The driver is `HTTP2Connection`.
struct ConnectionLife {
  enum State: Equatable {
    case handshaking
    case open
    /// The peer takes nothing more, which will be the connection's end. The peer's last words, such as the
    /// alert that tells why, may still be there to be read.
    case deaf(ConnectionEnd)
    /// The last word is said. The peer's bytes are dropped until the peer closes too: closing a socket with
    /// unread input would make the kernel throw the last word away (RFC 9112 section 9.6).
    case lingering(dropped: Int)
    /// The socket is let go of.
    case released
  }

  enum Effect: Equatable {
    case none
    /// Read for one more second, then close.
    case waitForLastWords
    /// The streams are over with this end. Wait for the peer to close, or release the socket at once.
    case close(ConnectionEnd, lingers: Bool)
    /// Let go of the socket.
    case release
  }

  private(set) var state: State
  /// Who goes on and on does not read what was said.
  static let lingerBytes = 256 << 10

  init(isHandshaking: Bool) { state = isHandshaking ? .handshaking : .open }

  var isHandshaking: Bool { state == .handshaking }

  var isClosed: Bool {
    switch state {
    case .handshaking, .open, .deaf: false
    case .lingering, .released: true
    }
  }

  /// Whether the peer takes nothing more, and its last words are waited for.
  var isDeaf: Bool { if case .deaf = state { true } else { false } }

  /// Whether the socket may take more.
  var takesOutput: Bool {
    switch state {
    case .handshaking, .open: true
    case .deaf, .lingering, .released: false
    }
  }

  mutating func handshakeCompleted() {
    if state == .handshaking { state = .open }
  }

  /// The socket has taken nothing, and will not.
  mutating func writeFailed(_ end: ConnectionEnd) -> Effect {
    guard takesOutput else { return .none }
    state = .deaf(end)
    return .waitForLastWords
  }

  /// The peer's bytes have ended, or cannot be read.
  mutating func inputEnded(_ end: ConnectionEnd) -> Effect {
    switch state {
    case .handshaking, .open: return close(end)
    // Why nothing could be written tells more than that nothing can be read either.
    case .deaf(let first): return close(first)
    case .lingering: return release()
    case .released: return .none
    }
  }

  /// The peer goes on, although all is said.
  mutating func dropped(_ bytes: Int) -> Effect {
    guard case .lingering(let before) = state else { return .none }
    state = .lingering(dropped: before + bytes)
    return before + bytes > Self.lingerBytes ? release() : .none
  }

  /// The connection ends.
  ///
  /// - Parameter lingers: the last word, an alert or a GOAWAY, has to reach the peer.
  mutating func close(_ end: ConnectionEnd, lingers: Bool = false) -> Effect {
    if isClosed { return .none }
    state = lingers ? .lingering(dropped: 0) : .released
    return .close(end, lingers: lingers)
  }

  /// The socket is let go of, also by a connection that lingers.
  mutating func release() -> Effect {
    guard case .lingering = state else { return .none }
    state = .released
    return .release
  }
}
