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
  private let descriptor: FileDescriptor
  private var pending: [UInt8] = []
  private var pendingOffset = 0
  private var isMarked = false
  private(set) var isHandshaking: Bool
  private var wantsWrites = false
  private(set) var isClosed = false
  private var keepalive: Keepalive?
  private var lingerTimer: UInt64?
  /// Why nothing more can be sent, and when that ends the connection at the latest.
  private var writeFailure: (end: ConnectionEnd, timer: UInt64)?
  private var condemnedTimer: UInt64?
  private var lingerBytes = 0
  private var isReleased = false
  /// Something has come from the peer since the keepalive timer last looked.
  private var hasReceived = false

  private static let outputLimit = 256 << 10

  init(
    loop: EventLoop, descriptor: consuming FileDescriptor, session: HTTP2Session, tls: TLSEngine?
  ) {
    self.loop = loop
    self.descriptor = descriptor
    self.session = session
    self.tls = tls
    self.isHandshaking = tls != nil
  }

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
    if writable && hasPending { flushPending() }
    if readable && !isClosed { readOnce() }
    if writable { markDirty() }
  }

  private func readOnce() {
    let half = loop.readBuffer.count / 2
    let buffer = UnsafeMutableBufferPointer(rebasing: loop.readBuffer[..<half])
    switch Socket.read(descriptor.number, into: UnsafeMutableRawBufferPointer(buffer)) {
    case .bytes(let count):
      take(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
    case .wouldBlock: break
    case .ended: close(writeFailure?.end ?? .closedByPeer)
    case .failed(let error):
      close(writeFailure?.end ?? ConnectionEnd(using: SystemError("read", errno: error)))
    }
  }

  private func take(_ bytes: UnsafeBufferPointer<UInt8>) {
    hasReceived = true
    if tls == nil { receive(bytes) } else { receiveEncrypted(bytes) }
    markDirty()
  }

  private func receiveEncrypted(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let tls else { return }
    tls.receive(UnsafeRawBufferPointer(bytes))
    if isHandshaking {
      continueHandshake()
      if isHandshaking || isClosed { return }
    }
    let half = loop.readBuffer.count / 2
    let buffer = UnsafeMutableBufferPointer(rebasing: loop.readBuffer[half...])
    while !isClosed {
      switch tls.read(into: UnsafeMutableRawBufferPointer(buffer)) {
      case .bytes(let count):
        receive(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
      case .wouldBlock: return
      case .closed: return close(.closedByPeer)
      case .failed(let error): return fail(error)
      }
    }
  }

  private func continueHandshake() {
    guard let tls else { return }
    switch tls.handshake() {
    case .incomplete: markDirty()
    case .failed(let error): fail(error)
    case .complete:
      isHandshaking = false
      guard tls.negotiatedProtocol == "h2" else {
        sayFarewell(tls)
        flushHandshake()
        return close(.foreignProtocol(tls.negotiatedProtocol), lingers: !farewell.isEmpty)
      }
      markDirty()
      established()
    }
  }

  private func sayFarewell(_ tls: TLSEngine) {
    farewell.withUnsafeBytes { bytes in
      // What cannot be written would not be read either.
      do throws(TLSError) { try tls.write(bytes) } catch {}
    }
  }

  /// A TLS failure: the alert still goes out.
  private func fail(_ error: TLSError) {
    flushHandshake()
    close(ConnectionEnd(error), lingers: true)
  }

  private func flushHandshake() {
    guard let tls, !isClosed else { return }
    tls.drainCiphertext(into: &pending)
    flushPending()
  }

  private func receive(_ bytes: UnsafeBufferPointer<UInt8>) {
    do throws(HTTP2ConnectionError) {
      try session.receive(bytes)
    } catch {
      // nghttp2 has queued a GOAWAY where the protocol wants one.
      drainEvents(bytes)
      output()
      return close(.protocolError(error.message), lingers: true)
    }
    drainEvents(bytes)
  }

  private func drainEvents(_ input: UnsafeBufferPointer<UInt8>) {
    let events = session.takeEvents()
    if events.isEmpty { return }
    for event in events {
      // After the end only the streams' own ends are of interest.
      if isClosed {
        guard case .closed = event else { continue }
      }
      handle(event, input)
    }
    eventsHandled()
    session.recycle(events)
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
    if !isClosed { output() }
  }

  func turnEnded() {
    isMarked = false
    if isClosed { return }
    output()
    if session.isCondemned && condemnedTimer == nil && !isClosed {
      // A peer that does not read will not read the reason either.
      condemnedTimer = loop.addTimer(after: .seconds(1)) { [self] in
        close(.protocolError("the peer has broken the rules"))
      }
    }
    if !isClosed && !hasPending && session.isFinished && !isHandshaking {
      let failure = session.failure.map { ConnectionEnd.protocolError($0.reason) }
      close(failure ?? .closed("the connection has ended"), lingers: session.hasFailed)
    }
  }

  private var hasPending: Bool { pendingOffset < pending.count }

  private func output() {
    guard !hasPending, writeFailure == nil else { return }
    if isHandshaking {
      tls?.drainCiphertext(into: &pending)
      return flushPending()
    }
    // What a frame's leaving causes (a stream's end, room in a buffer) may cause more frames.
    var goesOn = false
    for _ in 0..<8 where !isClosed && !hasPending {
      var buffer = loop.writeBuffer
      loop.writeBuffer = []
      do throws(HTTP2ConnectionError) {
        try session.produce(into: &buffer, limit: Self.outputLimit)
      } catch {
        loop.writeBuffer = buffer
        return close(.protocolError(error.message))
      }
      let isEmpty = buffer.isEmpty
      if !isEmpty { send(&buffer) }
      buffer.removeAll(keepingCapacity: buffer.capacity <= 2 * Self.outputLimit)
      loop.writeBuffer = buffer
      if isClosed { return }
      drainEvents(UnsafeBufferPointer(start: nil, count: 0))
      goesOn = !isEmpty && session.wantsToSend
      if !goesOn { break }
    }
    // The rest in the next turn: others have their turn before.
    if goesOn && !isClosed && !hasPending { markDirty() }
    if tls != nil && !hasPending && !isClosed {
      tls?.drainCiphertext(into: &pending)
      flushPending()
    }
  }

  private func send(_ buffer: inout [UInt8]) {
    if let tls {
      let failure = buffer.withUnsafeBytes { bytes -> TLSError? in
        do throws(TLSError) {
          try tls.write(bytes)
          return nil
        } catch { return error }
      }
      if let failure { return close(ConnectionEnd(failure)) }
      tls.drainCiphertext(into: &pending)
      return flushPending()
    }
    let written = buffer.withUnsafeBytes { Socket.write(descriptor.number, $0) }
    switch written {
    case .bytes(let count):
      if count < buffer.count { pending.append(contentsOf: buffer[count...]) }
    case .wouldBlock: pending.append(contentsOf: buffer)
    case .ended: return failedToWrite(.closedByPeer)
    case .failed(let error):
      return failedToWrite(ConnectionEnd(using: SystemError("write", errno: error)))
    }
    watchWrites(hasPending)
  }

  /// The peer takes nothing more. What it has said last, such as why, may still be there to be read.
  private func failedToWrite(_ end: ConnectionEnd) {
    if isClosed || writeFailure != nil { return }
    pending = []
    pendingOffset = 0
    watchWrites(false)
    writeFailure = (end, loop.addTimer(after: .seconds(1)) { [self] in close(end) })
  }

  private func flushPending() {
    while hasPending {
      let result = pending.withUnsafeBytes {
        Socket.write(descriptor.number, UnsafeRawBufferPointer(rebasing: $0[pendingOffset...]))
      }
      switch result {
      case .bytes(let count): pendingOffset += count
      case .wouldBlock: return watchWrites(true)
      case .ended: return failedToWrite(.closedByPeer)
      case .failed(let error):
        return failedToWrite(ConnectionEnd(using: SystemError("write", errno: error)))
      }
    }
    // An idle connection keeps no buffer.
    pending = []
    pendingOffset = 0
    watchWrites(false)
  }

  private func watchWrites(_ wanted: Bool) {
    if wanted == wantsWrites || isClosed { return }
    wantsWrites = wanted
    loop.watch(descriptor.number, reads: true, writes: wanted)
  }

  // MARK: Keepalive

  private struct Keepalive {
    var interval: Duration
    var timeout: Duration
    var whenIdle: Bool
    var timer: UInt64
  }

  /// Asks the peer for a sign of life when none came for the interval, and ends the connection when
  /// the timeout passes without one (gRFC A8).
  ///
  /// - Parameter whenIdle: also while no stream is open.
  func startKeepalive(every interval: Duration, timeout: Duration, whenIdle: Bool) {
    if isClosed { return }
    keepalive = Keepalive(
      interval: interval, timeout: timeout, whenIdle: whenIdle,
      timer: loop.addTimer(after: interval) { [self] in keepaliveDue() })
  }

  private func keepaliveDue() {
    guard let keepalive, !isClosed else { return }
    let isIdle = session.openStreams == 0 && !keepalive.whenIdle
    if hasReceived || isIdle {
      hasReceived = false
      self.keepalive?.timer = loop.addTimer(after: keepalive.interval) { [self] in
        keepaliveDue()
      }
      return
    }
    session.ping(0x6b65_6570)
    markDirty()
    self.keepalive?.timer = loop.addTimer(after: keepalive.timeout) { [self] in
      if isClosed { return }
      if hasReceived {
        keepaliveDue()
      } else {
        let silence = keepalive.interval + keepalive.timeout
        close(.timedOut("the peer gave no sign of life for \(silence)"))
      }
    }
  }

  // MARK: End

  /// Ends the connection now. What waits to be sent is lost.
  ///
  /// - Parameter lingers: the last word, an alert or a GOAWAY, must reach the peer: closing a socket
  ///   with unread input would make the kernel throw it away (RFC 9112 section 9.6).
  func close(_ end: ConnectionEnd, lingers: Bool = false) {
    if isClosed { return }
    if let tls, !isHandshaking, !hasPending {
      tls.closeNotify()
      tls.drainCiphertext(into: &pending)
      if hasPending {
        _ = pending.withUnsafeBytes { Socket.write(descriptor.number, $0) }
      }
    }
    isClosed = true
    pending = []
    if let keepalive { loop.cancelTimer(keepalive.timer) }
    keepalive = nil
    if let condemnedTimer { loop.cancelTimer(condemnedTimer) }
    if let writeFailure { loop.cancelTimer(writeFailure.timer) }
    closed(end, session.abandon())
    if lingers {
      Socket.shutdownWrites(descriptor.number)
      loop.watch(descriptor.number, reads: true, writes: false)
      lingerTimer = loop.addTimer(after: .seconds(1)) { [self] in release() }
    } else {
      release()
    }
  }

  /// Reads and drops what the peer still sends, until it closes too.
  private func linger() {
    guard lingerTimer != nil else { return }
    let buffer = UnsafeMutableRawBufferPointer(loop.readBuffer)
    switch Socket.read(descriptor.number, into: buffer) {
    case .bytes(let count):
      lingerBytes += count
      // Whoever goes on and on does not read what we said.
      if lingerBytes > 256 << 10 { release() }
    case .wouldBlock: break
    case .ended, .failed: release()
    }
  }

  /// Ends the connection, also one that lingers, and lets go of its socket.
  func end(_ end: ConnectionEnd) {
    close(end)
    release()
  }

  private func release() {
    if isReleased { return }
    isReleased = true
    if let lingerTimer { loop.cancelTimer(lingerTimer) }
    lingerTimer = nil
    loop.remove(descriptor.number)
    Socket.shutdown(descriptor.number)
    released()
  }
}
