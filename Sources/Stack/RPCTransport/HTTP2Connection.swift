internal import Crypto
internal import HTTP2
internal import HTTP2Codes
internal import RPC
internal import Reactor

/// The socket, TLS and HTTP/2 of one connection, on one event loop.
///
/// Reads what has arrived, hands events to the subclass, and at the end of the loop's turn sends
/// everything the turn produced in one write. While the peer does not take what was sent, nothing
/// more is produced, so what waits is bounded by the streams' own buffers.
class HTTP2Connection: ReadinessHandler, TurnEndHandler, @unchecked Sendable {
  // @unchecked: confined to `loop`.
  let loop: EventLoop
  let session: HTTP2Session
  let tls: TLSEngine?
  let descriptor: FileDescriptor
  var timers: ConnectionTimers
  var life: ConnectionLife
  var output = OutputQueue()
  private var keepalive: Keepalive?
  private var isMarked = false
  var wantsWrites = false
  /// Something has come from the peer since the keepalive timer last looked.
  var hasReceived = false

  static let outputLimit = 256 << 10
  /// How long a peer has to read why it is sent away, or to close after that.
  private static let lastWordTime = Duration.seconds(1)

  init(
    loop: EventLoop, descriptor: consuming FileDescriptor, session: HTTP2Session, tls: TLSEngine?
  ) {
    self.loop = loop
    self.descriptor = descriptor
    self.session = session
    self.tls = tls
    timers = ConnectionTimers(loop)
    life = ConnectionLife(isHandshaking: tls != nil)
  }

  final var isHandshaking: Bool { life.isHandshaking }
  final var isClosed: Bool { life.isClosed }

  var descriptorNumber: Int32 { descriptor.number }

  /// Begins with what has been read of the peer already. On the loop.
  final func start(_ bytes: UnsafeBufferPointer<UInt8>) {
    do {
      try loop.add(descriptor.number, self)
      take(bytes)
    } catch {
      close(ConnectionEnd(using: error))
    }
  }

  /// Begins to read. On the loop.
  func start() {
    do {
      try loop.add(descriptor.number, self)
    } catch {
      return close(ConnectionEnd(using: error))
    }
    // TLS speaks first on the client; HTTP/2 sends its settings.
    if isHandshaking { continueHandshake() }
    markDirty()
  }

  // MARK: For subclasses

  /// The connection can carry HTTP/2: TLS is through and ALPN chose h2.
  func established() {}
  /// What a peer gets over TLS that does not speak HTTP/2.
  var farewell: [UInt8] { [] }
  func handle(_ event: HTTP2Event, _ input: UnsafeBufferPointer<UInt8>) {}
  /// All that came together is handled; what it refers to is good until this returns.
  func eventsHandled() {}
  /// The connection is over, and with it these streams: those still open, without an error code, and
  /// those whose end was not handled yet.
  func closed(
    _ end: ConnectionEnd, _ streams: [(stream: HTTP2Stream, errorCode: HTTP2ErrorCode?)]
  ) {}
  /// The socket is let go of: nothing more will be called.
  func released() {}

  // MARK: Input

  func ready(readable: Bool, writable: Bool) {
    if isClosed { return linger() }
    if writable && !output.isEmpty { flush() }
    if readable && !isClosed { readOnce() }
    if writable { markDirty() }
  }

  // MARK: Output

  /// Something may be there to send at the end of the turn.
  func markDirty() {
    if isMarked || isClosed { return }
    isMarked = true
    loop.markTurnEnd(self)
  }

  /// Sends what there is before the turn ends, as before closing.
  func flushNow() {
    if !isClosed { produce() }
  }

  func turnEnded() {
    isMarked = false
    if isClosed { return }
    produce()
    if life.isDeaf { session.discardOutput() }
    if session.isCondemned && !timers.runs(.condemned) && !isClosed {
      // A peer that does not read will not read the reason either.
      timers.start(.condemned, after: Self.lastWordTime) { [self] in
        close(.protocolError("the peer has broken the rules"))
      }
    }
    if !isClosed && output.isEmpty && session.isFinished && !isHandshaking {
      let failure = session.failure.map { ConnectionEnd.protocolError($0.reason) }
      close(failure ?? .closed("the connection has ended"), lingers: session.hasFailed)
    }
  }

  // MARK: Keepalive

  /// Asks the peer for a sign of life when none came for the interval, and ends the connection when
  /// the timeout passes without one.
  ///
  /// - Parameter whenIdle: also while no stream is open.
  func startKeepalive(every interval: Duration, timeout: Duration, whenIdle: Bool) {
    if isClosed { return }
    keepalive = Keepalive(interval: interval, timeout: timeout, whenIdle: whenIdle)
    timers.start(.keepalive, after: interval) { [self] in keepaliveDue() }
  }

  private func keepaliveDue() {
    if isClosed { return }
    let effect = keepalive?.due(hasReceived: hasReceived, isIdle: session.openStreams == 0)
    hasReceived = false
    switch effect {
    case .wait(let time)?: timers.start(.keepalive, after: time) { [self] in keepaliveDue() }
    case .ping(let timeout)?:
      session.ping(0x6b65_6570)
      markDirty()
      timers.start(.keepalive, after: timeout) { [self] in keepaliveDue() }
    case .lost(let silence)?:
      close(.timedOut("the peer gave no sign of life for \(silence)"))
    case nil: break
    }
  }

  // MARK: End

  /// Ends the connection now. What waits to be sent is lost.
  ///
  /// - Parameter lingers: the last word, an alert or a GOAWAY, must reach the peer.
  final func close(_ end: ConnectionEnd, lingers: Bool = false) {
    if isClosed { return }
    if let tls, !isHandshaking, output.isEmpty {
      tls.closeNotify()
      output.append { tls.drainCiphertext(into: &$0) }
      _ = output.flush { Socket.write(descriptor.number, $0) }
    }
    carryOut(life.close(end, lingers: lingers))
  }

  /// Ends the connection, also one that lingers, and lets go of its socket.
  func end(_ end: ConnectionEnd) {
    close(end)
    carryOut(life.release())
  }

  final func carryOut(_ effect: ConnectionLife.Effect) {
    switch effect {
    case .none: break
    case .waitForLastWords:
      output.drop()
      watchWrites(false)
      timers.start(.lastWords, after: Self.lastWordTime) { [self] in
        carryOut(life.inputEnded(.closedByPeer))
      }
    case .close(let end, let lingers):
      output.drop()
      timers.stopAll()
      closed(end, session.abandon())
      if !lingers { return release() }
      Socket.shutdownWrites(descriptor.number)
      loop.watch(descriptor.number, reads: true, writes: false)
      timers.start(.linger, after: Self.lastWordTime) { [self] in carryOut(life.release()) }
    case .release: release()
    }
  }

  private func release() {
    timers.stopAll()
    loop.remove(descriptor.number)
    Socket.shutdown(descriptor.number)
    released()
  }
}
