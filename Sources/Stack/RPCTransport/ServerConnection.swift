internal import Crypto
internal import HTTP2
internal import HTTP2Codes
internal import RPC
internal import Reactor

/// One accepted connection: turns HTTP/2 events into calls of the service.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
  private(set) var peer: Peer
  private let service: any HTTPService
  let handlers: HandlerPool
  private let onClose: (ServerConnection) -> Void
  private let ticket: Ticket
  let reports: ReportDesk
  /// Called once the connection speaks HTTP/2 or is over.
  var onEstablished: (() -> Void)?
  var serverLife = ServerLife()
  let limit: ConnectionLimit
  private let heldLimit: Int
  private var heldBytes = 0
  /// What of these the server's total holds.
  private var reportedHeld = 0
  /// A connection that keeps no more is let be, however much the others keep: so small a request is never refused for
  /// what others have sent.
  private static let alwaysHeld = 16 << 10
  let configuration: ServerConfiguration
  /// The client could have shown a certificate, and has not.
  private(set) var isAnonymous = false
  /// What of the bytes that wait the server's total holds.
  var reportedWaiting = 0
  /// Streams that wait until less is buffered.
  var heldBack: [ServerStream] = []
  var unsentWatch: UnsentWatch?
  /// Streams whose answers are whole, are no calls', and have not been taken yet.
  var pages = 0
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
    timers.start(.handshake, after: deadline - .now) { [self] in
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
    isAnonymous = tls.verifiesPeer && peer.certificates.isEmpty
    if tls.verifiesPeer, let end = tls.peerCertificates.map(\.notAfter).min() { watchExpiry(end) }
  }

  override func handle(_ event: HTTP2Event, _ input: UnsafeBufferPointer<UInt8>) {
    switch event {
    case .head(let stream, let block, let isLast):
      if !isAnonymous { timers.stop(.idle) }
      ServerStream.lend(stream) { stream in
        stream.begin(on: self)
        if serverLife.hasExpired {
          return stream.answer(.expired, to: block.use { RequestKind.of(HeaderFields($0)) })
        }
        guard let head = block.use({ HTTPRequestHead.of($0, isComplete: isLast) }) else {
          return stream.respond(
            .fields(HeaderFields([":status": "405"])), body: [], trailers: .none)
        }
        stream.receiver = service.accept(head, on: stream)
        // What strangers ask for does not keep their connection: only a call that was let in does.
        if isAnonymous, stream.receiver?.isCall == true { timers.stop(.idle) }
        if !isLast { watchRequests() }
      }
    case .data(let stream, let range, let isLast):
      ServerStream.lend(stream) { stream in
        guard let receiver = stream.receiver else { return stream.release(range.count) }
        stream.silentLooks = 0
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
      if session.openStreams == 0 { carryOut(serverLife.streamsEnded()) }
    case .settingsReceived: carryOut(serverLife.settingsReceived())
    case .pingReceived: pinged()
    case .pingAcknowledged: carryOut(serverLife.announced())
    case .goAway: break
    }
  }

  override func eventsHandled() { handlers.run() }

  func carryOut(_ effect: ServerLife.Effect) {
    switch effect {
    case .none: break
    case .begin: begin()
    case .announce(let patience):
      session.announceShutdown()
      session.ping(0)
      markDirty()
      timers.start(.drain, after: patience) { [self] in carryOut(serverLife.announced()) }
    case .sendLastGoAway:
      timers.stop(.drain)
      // From here on the peer has less time, which begins now.
      timers.stop(.unsent)
      session.goAway()
      markDirty()
    case .finish: markDirty()
    case .watchIdle: watchIdle()
    case .close(let end): close(end)
    }
  }

  private func begin() {
    timers.stop(.handshake)
    hasGreeted()
    startKeepalive(
      every: configuration.keepaliveInterval, timeout: configuration.keepaliveTimeout,
      whenIdle: true)
    if let age = configuration.maxAge {
      timers.start(.age, after: age * Double.random(in: 0.9...1.1)) { [self] in aged() }
    }
    if session.openStreams == 0 || isAnonymous { carryOut(serverLife.streamsEnded()) }
  }

  private func hasGreeted() {
    ticket.established()
    onEstablished?()
    onEstablished = nil
  }

  private func aged() {
    drain()
    guard let grace = configuration.maxAgeGrace else { return }
    timers.start(.age, after: grace) { [self] in
      close(.closed("the connection has reached its greatest age"))
    }
  }

  private var maxIdle: Duration? {
    guard let limit = configuration.maxAnonymousIdle, isAnonymous else {
      return configuration.maxIdle
    }
    return min(limit, configuration.maxIdle ?? limit)
  }

  private func watchIdle() {
    guard !isClosed, let idle = maxIdle, !timers.runs(.idle) else { return }
    timers.start(.idle, after: idle) { [self] in drain() }
  }

  private func pinged() {
    let isTooMuch = pings.pinged(
      now: .now, hasSentResponse: session.takeResponseSent(), isInCall: session.openStreams > 0)
    // The words by which clients of gRPC know to ping less.
    if isTooMuch { session.condemn(.flood("too_many_pings")) }
  }

  /// Takes no new calls, lets those under way finish, then closes (RFC 9113 section 6.8).
  func drain() {
    if !isClosed { carryOut(serverLife.drain(patience: Self.drainPatience)) }
  }

  override func turnEnded() {
    super.turnEnded()
    if !heldBack.isEmpty, !isClosed { tellHeldBack() }
    if !isClosed {
      followWaiting()
      watchUnsent()
    }
    if session.isReceivingHead && !timers.runs(.head) && !isClosed { watchHead() }
  }

  /// A header block has begun: it must end in time.
  private func watchHead() {
    let begun = session.headsBegun
    timers.start(.head, after: configuration.handshakeTimeout) { [self] in
      if isClosed { return }
      timers.stop(.head)
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
    let isLittle = heldBytes <= Self.alwaysHeld
    let mayHold = reportHeld(isLittle ? 0 : heldBytes) && heldBytes <= heldLimit || isLittle
    // What is given back is never refused, also where too much is kept still.
    if change > 0, !mayHold {
      report(
        .requestRefused,
        heldBytes > heldLimit
          ? "the connection keeps more than \(heldLimit) bytes of requests"
          : "the requests of all connections take what they may")
    }
    return mayHold
  }

  private func reportHeld(_ held: Int) -> Bool {
    guard held != reportedHeld else { return true }
    defer { reportedHeld = held }
    return limit.holds(held - reportedHeld, of: ticket.listener)
  }

  override func closed(
    _ end: ConnectionEnd, _ streams: [(stream: HTTP2Stream, errorCode: HTTP2ErrorCode?)]
  ) {
    report(end, hasFailedToGreet: serverLife.closed())
    hasGreeted()
    for (stream, errorCode) in streams {
      unsafeDowncast(stream, to: ServerStream.self).ended(errorCode: errorCode ?? .cancel)
    }
    reportWaiting(0)
    // Calls that are over have given back what they held; the rest goes with the connection.
    _ = reportHeld(0)
    heldBytes = 0
  }

  override func end(_ end: ConnectionEnd) {
    serverLife.ended()
    super.end(end)
  }

  override func released() {
    ticket.giveBack()
    onClose(self)
  }

  /// Tells of an end that the client has brought about by what it did.
  private func report(_ end: ConnectionEnd, hasFailedToGreet: Bool) {
    if let failure = session.failure {
      report(failure.isFlood ? .flood : .ruleBroken, failure.reason)
    } else if hasFailedToGreet {
      report(.handshakeFailed, "\(end)")
    } else if case .timedOut(let reason) = end {
      report(.stalled, reason)
    }
  }

  func report(_ kind: ConnectionReport.Kind, _ reason: @autoclosure () -> String) {
    reports.report(kind, listener: peer.localAddress, peer: peer.address, reason())
  }
}
