internal import Crypto
internal import HTTP2
internal import HTTP2Codes
internal import RPC
internal import Reactor

/// One accepted connection: turns HTTP/2 events into calls of the service.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
  private(set) var peer: Peer
  private let service: any HTTPService
  private let handlers: HandlerPool
  private let onClose: (ServerConnection) -> Void
  private let ticket: Ticket
  private let reports: ReportDesk
  /// Called once the connection speaks HTTP/2 or is over.
  var onEstablished: (() -> Void)?
  /// The server ends the connection for reasons of its own.
  private var isLeaving = false
  private var timer: UInt64?
  private var isDraining = false
  private var hasSentLastGoAway = false
  private let limit: ConnectionLimit
  private let heldLimit: Int
  private var heldBytes = 0
  private let configuration: ServerConfiguration
  /// What of the session's buffered bytes the server's total holds.
  private var reportedWaiting = 0
  /// Streams that wait until less is buffered.
  private var heldBack: [ServerStream] = []
  private var headTimer: UInt64?
  private var idleTimer: UInt64?
  private var ageTimer: UInt64?
  private var drainTimer: UInt64?
  private var expiryTimer: UInt64?
  /// The client's certificate is not valid any more: nothing more is done for it.
  private var hasExpired = false
  /// How long calls under way may then go on.
  private static let expiryGrace = Duration.seconds(5)
  /// How long a peer may take to say that it has seen the first GOAWAY; one that is silent must not
  /// hold the end up.
  private static let drainPatience = Duration.seconds(1)
  private var pings: PingStrikes

  init(
    loop: EventLoop, handlers: HandlerPool, events: EventStorage,
    descriptor: consuming FileDescriptor,
    tls: TLSEngine?, peer: Peer, service: any HTTPService, configuration: ServerConfiguration,
    limit: ConnectionLimit, ticket: Ticket, deadline: ContinuousClock.Instant, reports: ReportDesk,
    onClose: @escaping (ServerConnection) -> Void
  ) {
    self.peer = peer
    self.service = service
    self.handlers = handlers
    self.onClose = onClose
    self.limit = limit
    self.ticket = ticket
    self.reports = reports
    self.heldLimit = configuration.heldBytesPerConnection
    self.configuration = configuration
    self.pings = PingStrikes(idleInterval: configuration.minimumPingInterval)
    super.init(
      loop: loop, descriptor: descriptor,
      session: HTTP2Session(role: .server, settings: configuration.http2, storage: events) {
        ServerStream(handlers: handlers)
      },
      tls: tls)
    timer = loop.addTimer(after: deadline - .now) { [self] in
      close(.timedOut("the peer did not begin to speak HTTP/2 in time"))
    }
  }

  override var farewell: [UInt8] {
    ForeignAnswer.http1(ForeignAnswer.reason(.http1, isTLS: true) ?? "")
  }

  override func established() {
    guard let tls else { return }
    peer = Peer(
      address: peer.address, localAddress: peer.localAddress,
      certificates: tls.peerCertificateBytes, process: peer.process)
    if tls.verifiesPeer, let end = tls.peerCertificates.map(\.notAfter).min() { watchExpiry(end) }
  }

  /// Ends the connection with the client's certificate, or one that certifies it.
  ///
  /// - Parameter end: the last second in which it is valid.
  private func watchExpiry(_ end: Int64) {
    let left = end - WallClock.seconds()
    if left < 0 { return expire() }
    // At most a minute at a time: the clock may be set meanwhile.
    expiryTimer = loop.addTimer(after: .seconds(min(left + 1, 60))) { [self] in watchExpiry(end) }
  }

  private func expire() {
    hasExpired = true
    reports.report(
      .expired, listener: peer.localAddress, peer: peer.address,
      "the connection ends with the client's certificate")
    // A client that does not listen is answered for as long.
    drain(patience: Self.expiryGrace)
    if isClosed { return }
    expiryTimer = loop.addTimer(after: Self.expiryGrace) { [self] in
      close(.closed("the client's certificate has expired"))
    }
  }

  override func handle(_ event: HTTP2Event, _ input: UnsafeBufferPointer<UInt8>) {
    switch event {
    case .head(let stream, let block, let isLast):
      stopIdling()
      ServerStream.lend(stream) { stream in
        stream.begin(on: self)
        if hasExpired {
          return stream.answer(.expired, to: block.use { RequestKind.of(HeaderFields($0)) })
        }
        guard let head = block.use({ HTTPRequestHead.of($0, isComplete: isLast) }) else {
          return stream.respond(
            .fields(HeaderFields([":status": "405"])), body: [], trailers: .none)
        }
        stream.receiver = service.accept(head, on: stream)
      }
    case .data(let stream, let range, let isLast):
      ServerStream.lend(stream) { stream in
        guard let receiver = stream.receiver else { return stream.release(range.count) }
        receiver.received(
          Span(_unsafeElements: UnsafeBufferPointer(rebasing: input[range])), isLast: isLast)
      }
    case .end(let stream), .trailers(let stream, _):
      ServerStream.lend(stream) { $0.receiver?.receivedEnd() }
    case .headTooLarge(let stream, let kind):
      ServerStream.lend(stream) { stream in
        if stream.begin(on: self) {
          stream.answer(.headTooLarge(limit: configuration.maxHeaderBytes), to: kind)
        } else if stream.receiver != nil {
          stream.reset(.enhanceYourCalm)
        }
      }
    case .writable(let stream): ServerStream.lend(stream) { $0.receiver?.streamWritable() }
    case .closed(let stream, let errorCode):
      ServerStream.lend(stream) { $0.ended(errorCode: errorCode) }
      if session.openStreams == 0 { noStreamsLeft() }
    case .settingsReceived:
      if timer != nil { begin() }
    case .pingReceived: pinged()
    case .pingAcknowledged:
      // The client has seen the first GOAWAY: what it sends from here on is its own risk.
      if isDraining { sendLastGoAway() }
    case .goAway: break
    }
  }

  override func eventsHandled() { handlers.run() }

  /// The peer speaks HTTP/2: from here on the connection may live by its limits.
  private func begin() {
    if let timer { loop.cancelTimer(timer) }
    timer = nil
    ticket.established()
    onEstablished?()
    onEstablished = nil
    startKeepalive(
      every: configuration.keepaliveInterval, timeout: configuration.keepaliveTimeout,
      whenIdle: true)
    if let age = configuration.maxAge {
      ageTimer = loop.addTimer(after: age * Double.random(in: 0.9...1.1)) { [self] in
        aged()
      }
    }
    if session.openStreams == 0 { noStreamsLeft() }
  }

  private func aged() {
    drain()
    guard let grace = configuration.maxAgeGrace else { return }
    ageTimer = loop.addTimer(after: grace) { [self] in
      close(.closed("the connection has reached its greatest age"))
    }
  }

  private func noStreamsLeft() {
    if isClosed { return }
    if isDraining { return markDirty() }
    guard let idle = configuration.maxIdle, idleTimer == nil else { return }
    idleTimer = loop.addTimer(after: idle) { [self] in
      idleTimer = nil
      drain()
    }
  }

  private func stopIdling() {
    guard let idleTimer else { return }
    loop.cancelTimer(idleTimer)
    self.idleTimer = nil
  }

  private func pinged() {
    let isTooMuch = pings.pinged(
      now: .now, hasSentResponse: session.takeResponseSent(), isInCall: session.openStreams > 0)
    // The words by which clients of gRPC know to ping less.
    if isTooMuch { session.condemn(.flood("too_many_pings")) }
  }

  /// Takes no new calls, lets those under way finish, then closes (RFC 9113 section 6.8).
  ///
  /// - Parameter patience: how long the peer may take to say that it knows.
  func drain(patience: Duration = drainPatience) {
    if isDraining || isClosed { return }
    // Nothing can be under way for a peer that has not begun to speak HTTP/2.
    if timer != nil {
      isLeaving = true
      return close(.closed("the server takes no new calls"))
    }
    isDraining = true
    session.announceShutdown()
    session.ping(0)
    markDirty()
    drainTimer = loop.addTimer(after: patience) { [self] in
      drainTimer = nil
      sendLastGoAway()
      markDirty()
    }
  }

  private func sendLastGoAway() {
    if hasSentLastGoAway { return }
    hasSentLastGoAway = true
    session.goAway()
  }

  /// Whether the peer takes its responses, as far as these must be kept.
  var hasRoom: Bool {
    let waiting = session.bufferedBytes
    // The total is shared by all loops: it follows in steps.
    if abs(waiting - reportedWaiting) >= 64 << 10 { reportWaiting(waiting) }
    return waiting <= configuration.waitingBytesPerConnection
      && (waiting < 64 << 10 || !limit.isWaitingTooMuch)
  }

  private func reportWaiting(_ waiting: Int) {
    limit.waits(waiting - reportedWaiting)
    reportedWaiting = waiting
  }

  /// Whether so much waits for the peer that a stream's message that can wait should. Streams for which nothing waits
  /// may go on for longer: a peer that leaves some of its streams unread gets the others all the same.
  func holdsBack(_ stream: ServerStream) -> Bool {
    let limit = configuration.waitingBytesPerConnection
    if stream.bufferedBytes > 0 {
      guard session.bufferedBytes > limit / 8 else { return false }
      stream.wantsWritable = true
    } else {
      guard session.bufferedBytes > limit / 2 || !hasRoom else { return false }
      heldBack.append(stream)
    }
    return true
  }

  private func tellHeldBack() {
    guard session.bufferedBytes <= configuration.waitingBytesPerConnection / 4, hasRoom else {
      return
    }
    let streams = heldBack
    heldBack = []
    for stream in streams { stream.receiver?.streamWritable() }
    handlers.run()
  }

  override func turnEnded() {
    super.turnEnded()
    if !heldBack.isEmpty, !isClosed { tellHeldBack() }
    if reportedWaiting > 0, session.bufferedBytes < 64 << 10 { reportWaiting(0) }
    if session.isReceivingHead && headTimer == nil && !isClosed { watchHead() }
  }

  /// A header block has begun: it must end in time.
  private func watchHead() {
    let begun = session.headsBegun
    headTimer = loop.addTimer(after: configuration.handshakeTimeout) { [self] in
      if isClosed { return }
      headTimer = nil
      guard session.isReceivingHead else { return }
      if session.headsBegun == begun {
        session.condemn(.flood("the header block was not ended in time"))
        markDirty()
      } else {
        watchHead()
      }
    }
  }

  func holds(_ change: Int) -> Bool {
    // What was held at the end went with the connection.
    if isClosed { return true }
    heldBytes += change
    return limit.holds(change) && heldBytes <= heldLimit
  }

  override func closed(
    _ end: ConnectionEnd, _ streams: [(stream: HTTP2Stream, errorCode: HTTP2ErrorCode?)]
  ) {
    report(end)
    ticket.established()
    onEstablished?()
    onEstablished = nil
    for timer in [timer, idleTimer, ageTimer, drainTimer, expiryTimer] {
      if let timer { loop.cancelTimer(timer) }
    }
    timer = nil
    for (stream, errorCode) in streams {
      unsafeDowncast(stream, to: ServerStream.self).ended(errorCode: errorCode ?? .cancel)
    }
    if let headTimer { loop.cancelTimer(headTimer) }
    headTimer = nil
    reportWaiting(0)
    // Calls that are over have given back what they held; the rest goes with the connection.
    _ = limit.holds(-heldBytes)
    heldBytes = 0
  }

  override func end(_ end: ConnectionEnd) {
    isLeaving = true
    super.end(end)
  }

  override func released() {
    ticket.giveBack()
    onClose(self)
  }

  /// Tells of an end that the client has brought about by what it did.
  private func report(_ end: ConnectionEnd) {
    if let failure = session.failure {
      reports.report(
        failure.isFlood ? .flood : .ruleBroken, listener: peer.localAddress, peer: peer.address,
        failure.reason)
    } else if timer != nil && !isLeaving {
      reports.report(
        .handshakeFailed, listener: peer.localAddress, peer: peer.address, "\(end)")
    }
  }
}

/// One HTTP exchange on a server connection.
final class ServerStream: HTTP2Stream, HTTPServerStream {
  /// Set from the head until the end, which comes before the connection's own: nothing is counted.
  private var borrowed: Unmanaged<ServerConnection>?
  let handlers: HandlerPool
  /// Let go of as soon as the response is there whole: the peer may take long to take it.
  var receiver: (any HTTPRequestReceiver)?
  /// Above this, the owner is told when the buffer has drained.
  private static let highWater = 16 << 10

  init(handlers: HandlerPool) { self.handlers = handlers }

  /// Lends an event's stream, which the session keeps for as long as the event is good.
  @inline(__always)
  static func lend(_ stream: EventReference<HTTP2Stream>, _ body: (ServerStream) -> Void) {
    stream.use { body(unsafeDowncast($0, to: ServerStream.self)) }
  }

  /// A head has come. From the first one on, of which true tells, the stream can be used.
  @discardableResult
  func begin(on connection: ServerConnection) -> Bool {
    guard borrowed == nil else { return false }
    borrowed = Unmanaged.passUnretained(connection)
    return true
  }

  /// Lends the connection, for as long as the stream is not closed.
  @inline(__always)
  private func withConnection(_ body: (ServerConnection) throws -> Void) rethrows {
    guard !isClosed, let borrowed else { return }
    try borrowed._withUnsafeGuaranteedRef { try body($0) }
  }

  var isOnExecutor: Bool { handlers.executor.isCurrent }
  var peer: Peer { borrowed?._withUnsafeGuaranteedRef { $0.peer } ?? Peer(address: "closed") }

  func respond(_ head: ResponseHead, body: consuming [UInt8], trailers: ResponseTrailers) {
    let body = body
    withConnection { connection in
      guard connection.hasRoom else { return refuse() }
      let end = OutgoingHeaders(trailers)
      if body.isEmpty && end == nil {
        connection.session.respond(self, OutgoingHeaders(head), hasBody: false)
      } else {
        connection.session.answer(self, OutgoingHeaders(head), body, end)
      }
      connection.markDirty()
      receiver = nil
    }
  }

  /// Answers without a service.
  func answer(_ answer: EarlyAnswer, to kind: RequestKind) {
    let (head, body) = answer.response(to: kind)
    respond(.fields(head), body: body, trailers: .none)
  }

  func sendHead(_ head: ResponseHead) {
    withConnection { connection in
      connection.session.respond(self, OutgoingHeaders(head), hasBody: true)
      connection.markDirty()
    }
  }

  func sendData(_ bytes: consuming [UInt8]) {
    let bytes = bytes
    if bytes.isEmpty { return }
    withConnection { connection in
      guard connection.hasRoom else { return refuse() }
      connection.session.send(self, bytes)
      if bufferedBytes > Self.highWater { wantsWritable = true }
      connection.markDirty()
    }
  }

  func sendData(_ write: (inout [UInt8]) throws -> Void) rethrows {
    try withConnection { connection in
      guard connection.hasRoom else { return refuse() }
      try connection.session.send(self, write)
      if bufferedBytes > Self.highWater { wantsWritable = true }
      connection.markDirty()
    }
  }

  func finish(_ trailers: ResponseTrailers) {
    withConnection { connection in
      connection.session.finish(self, OutgoingHeaders(trailers))
      connection.markDirty()
      receiver = nil
    }
  }

  func reset(_ errorCode: HTTP2ErrorCode) {
    withConnection { connection in
      connection.session.reset(self, errorCode: errorCode)
      connection.markDirty()
    }
  }

  /// The peer takes too little of what it asks for. The call is over at once: its handler must not go
  /// on to write.
  private func refuse() {
    reset(.enhanceYourCalm)
    tell(.enhanceYourCalm)
  }

  func release(_ bytes: Int) {
    withConnection { connection in
      connection.session.release(self, bytes)
      connection.markDirty()
    }
  }

  func waitsForRoom() -> Bool {
    borrowed?._withUnsafeGuaranteedRef { $0.holdsBack(self) } ?? false
  }

  var headLimit: Int {
    borrowed?._withUnsafeGuaranteedRef { $0.session.outgoingHeadLimit } ?? .max
  }

  func holds(_ change: Int) -> Bool {
    borrowed?._withUnsafeGuaranteedRef { $0.holds(change) } ?? true
  }

  func ended(errorCode: HTTP2ErrorCode) {
    tell(errorCode)
    borrowed = nil
  }

  private func tell(_ errorCode: HTTP2ErrorCode) {
    let receiver = self.receiver
    self.receiver = nil
    receiver?.streamClosed(errorCode: errorCode == .noError ? nil : errorCode)
  }
}
