internal import Crypto
internal import HTTP2
internal import RPC
internal import Reactor

/// One accepted connection: turns HTTP/2 events into calls of the service.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
  private(set) var peer: Peer
  private let service: any HTTPService
  private let onClose: (ServerConnection) -> Void
  private var timer: UInt64?
  private var isDraining = false
  private let limit: ConnectionLimit
  private let heldLimit: Int
  private var heldBytes = 0

  init(
    loop: EventLoop, descriptor: consuming FileDescriptor, tls: TLSEngine?, peer: Peer,
    service: any HTTPService, configuration: ServerConfiguration, limit: ConnectionLimit,
    onClose: @escaping (ServerConnection) -> Void
  ) {
    self.peer = peer
    self.service = service
    self.onClose = onClose
    self.limit = limit
    self.heldLimit = configuration.heldBytesPerConnection
    super.init(
      loop: loop, descriptor: descriptor,
      session: HTTP2Session(role: .server, settings: configuration.http2) {
        ServerStream(loop: loop)
      },
      tls: tls)
    timer = loop.addTimer(after: configuration.handshakeTimeout) { [weak self] in
      self?.close("the peer did not begin to speak HTTP/2 in time")
    }
  }

  override func established() {
    if let tls { peer.certificates = tls.peerCertificateBytes }
  }

  override func handle(_ event: HTTP2Event, _ input: UnsafeBufferPointer<UInt8>) {
    switch event {
    case .head(let stream, let block, let isLast):
      let stream = unsafeDowncast(stream, to: ServerStream.self)
      stream.connection = self
      let head = HTTPRequestHead(
        fields: HeaderFields(block), methodField: block.methodField, pathField: block.pathField,
        isComplete: isLast)
      // nghttp2 refuses requests without these; CONNECT has no path.
      guard block.methodField >= 0, block.pathField >= 0 else {
        return stream.respond(
          .fields(HeaderFields([":status": "405"])), body: [], trailers: .none)
      }
      stream.receiver = service.accept(head, on: stream)
    case .data(let stream, let range, let isLast):
      let stream = unsafeDowncast(stream, to: ServerStream.self)
      guard let receiver = stream.receiver else { return stream.release(range.count) }
      receiver.received(
        Span(_unsafeElements: UnsafeBufferPointer(rebasing: input[range])), isLast: isLast)
    case .end(let stream):
      unsafeDowncast(stream, to: ServerStream.self).receiver?.receivedEnd()
    case .trailers(let stream, _):
      unsafeDowncast(stream, to: ServerStream.self).receiver?.receivedEnd()
    case .headTooLarge(let stream):
      let stream = unsafeDowncast(stream, to: ServerStream.self)
      stream.connection = self
      if stream.receiver == nil {
        stream.respond(.fields(HeaderFields([":status": "431"])), body: [], trailers: .none)
      } else {
        stream.reset(0xb)
      }
    case .writable(let stream):
      unsafeDowncast(stream, to: ServerStream.self).receiver?.streamWritable()
    case .closed(let stream, let errorCode):
      unsafeDowncast(stream, to: ServerStream.self).ended(errorCode: errorCode)
      if isDraining && session.openStreams == 0 { markDirty() }
    case .settingsReceived:
      if let timer { loop.cancelTimer(timer) }
      timer = nil
    case .pingAcknowledged:
      // The client has seen the first GOAWAY: what it sends from here on is its own risk.
      if isDraining { session.goAway() }
    case .goAway: break
    }
  }

  /// Takes no new calls, lets those under way finish, then closes (RFC 9113 section 6.8).
  func drain() {
    if isDraining || isClosed { return }
    isDraining = true
    session.announceShutdown()
    session.ping(0)
    markDirty()
  }

  func holds(_ change: Int) -> Bool {
    heldBytes += change
    return limit.holds(change) && heldBytes <= heldLimit
  }

  override func closed(_ reason: String, _ streams: [HTTP2Stream]) {
    if let timer { loop.cancelTimer(timer) }
    timer = nil
    for stream in streams { unsafeDowncast(stream, to: ServerStream.self).ended(errorCode: 0x8) }
    // Calls that are over have given back what they held; the rest goes with the connection.
    _ = limit.holds(-heldBytes)
    heldBytes = 0
    onClose(self)
  }
}

/// One HTTP exchange on a server connection.
final class ServerStream: HTTP2Stream, HTTPServerStream {
  /// Set from the head until the end; the cycle with the session's list is broken by `ended`.
  var connection: ServerConnection?
  private let loop: EventLoop
  var receiver: (any HTTPRequestReceiver)?
  /// Above this, the owner is told when the buffer has drained.
  private static let highWater = 16 << 10

  init(loop: EventLoop) { self.loop = loop }

  private var open: ServerConnection? { isClosed ? nil : connection }

  var executor: any CallExecutor { loop }
  var peer: Peer { connection?.peer ?? Peer(address: "closed") }

  func respond(_ head: ResponseHead, body: consuming [UInt8], trailers: ResponseTrailers) {
    guard let connection = open else { return }
    let trailers = OutgoingHeaders(trailers)
    if body.isEmpty && trailers == nil {
      connection.session.respond(self, OutgoingHeaders(head), hasBody: false)
    } else {
      connection.session.respond(self, OutgoingHeaders(head), hasBody: true)
      connection.session.send(self, body)
      connection.session.finish(self, trailers)
    }
    connection.markDirty()
  }

  func sendHead(_ head: ResponseHead) {
    guard let connection = open else { return }
    connection.session.respond(self, OutgoingHeaders(head), hasBody: true)
    connection.markDirty()
  }

  func sendData(_ bytes: consuming [UInt8]) {
    guard let connection = open else { return }
    connection.session.send(self, bytes)
    if bufferedBytes > Self.highWater { wantsWritable = true }
    connection.markDirty()
  }

  func finish(_ trailers: ResponseTrailers) {
    guard let connection = open else { return }
    connection.session.finish(self, OutgoingHeaders(trailers))
    connection.markDirty()
  }

  func reset(_ errorCode: UInt32) {
    guard let connection = open else { return }
    connection.session.reset(self, errorCode: errorCode)
    connection.markDirty()
  }

  func release(_ bytes: Int) {
    guard let connection = open else { return }
    connection.session.release(self, bytes)
    connection.markDirty()
  }

  func holds(_ change: Int) -> Bool { connection?.holds(change) ?? true }

  func ended(errorCode: UInt32) {
    let receiver = self.receiver
    self.receiver = nil
    receiver?.streamClosed(errorCode: errorCode == 0 ? nil : errorCode)
    connection = nil
  }
}
