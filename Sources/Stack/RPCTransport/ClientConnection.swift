internal import Crypto
internal import HTTP2
internal import HTTP2Codes
internal import RPC
internal import Reactor

/// One connection to a server: connects, then carries calls.
final class ClientConnection: HTTP2Connection, @unchecked Sendable {
  /// Connected and ready; or never to be.
  private var onReady: ((Result<ClientConnection, ConnectionEnd>) -> Void)?
  /// No new call may start here.
  private let onRetired: (ClientConnection) -> Void
  private var isConnecting = true
  private var isRetired = false
  /// A server has answered here, if only with a status.
  private(set) var hasServed = false
  /// How the connection has ended, or will, because the server has said so.
  private(set) var ending: ConnectionEnd?
  let endpoint: Endpoint
  private let configuration: ChannelConfiguration
  /// How long the connection is silent before it asks for a sign of life.
  let keepaliveInterval: Duration?

  init(
    loop: EventLoop, descriptor: consuming FileDescriptor, tls: TLSEngine?, endpoint: Endpoint,
    configuration: ChannelConfiguration, keepaliveInterval: Duration?,
    onReady: @escaping (Result<ClientConnection, ConnectionEnd>) -> Void,
    onRetired: @escaping (ClientConnection) -> Void
  ) {
    self.endpoint = endpoint
    self.configuration = configuration
    self.keepaliveInterval = keepaliveInterval
    self.onReady = onReady
    self.onRetired = onRetired
    super.init(
      loop: loop, descriptor: descriptor,
      session: HTTP2Session(role: .client, settings: configuration.http2) { HTTP2Stream() },
      tls: tls)
    timers.start(.handshake, after: configuration.connectTimeout) { [self] in
      close(.timedOut("connecting took longer than \(configuration.connectTimeout)"))
    }
  }

  /// Waits for the socket to connect. On the loop.
  override func start() {
    do {
      try loop.add(descriptorNumber, self, reads: false, writes: true)
    } catch {
      close(ConnectionEnd(connecting: error))
    }
  }

  override func ready(readable: Bool, writable: Bool) {
    guard isConnecting else { return super.ready(readable: readable, writable: writable) }
    if let error = Socket.connectError(descriptorNumber) {
      return close(ConnectionEnd(connecting: error))
    }
    isConnecting = false
    loop.remove(descriptorNumber)
    super.start()
  }

  override func handle(_ event: HTTP2Event, _ input: UnsafeBufferPointer<UInt8>) {
    switch event {
    case .settingsReceived:
      timers.stop(.handshake)
      guard let ready = onReady else { return }
      onReady = nil
      if let interval = keepaliveInterval {
        startKeepalive(
          every: interval, timeout: configuration.keepaliveTimeout, whenIdle: false)
      }
      ready(.success(self))
    case .head(let stream, let block, let isLast):
      hasServed = true
      receiver(stream)?.receivedHead(HeaderFields(block.object), isLast: isLast)
    case .data(let stream, let range, let isLast):
      guard let receiver = receiver(stream) else {
        return session.release(stream.object, range.count)
      }
      receiver.received(
        Span(_unsafeElements: UnsafeBufferPointer(rebasing: input[range])), isLast: isLast)
    case .end(let stream):
      receiver(stream)?.received(Span(), isLast: true)
    case .trailers(let stream, let block):
      receiver(stream)?.receivedTrailers(HeaderFields(block.object))
    case .headTooLarge(let stream, _):
      let limit = configuration.http2.maxHeaderListBytes
      unsafeDowncast(stream.object, to: ClientStream.self).ended(
        .failed(
          RPCError(
            .resourceExhausted, "the answer's header block is larger than \(limit) bytes")))
      session.reset(stream.object, errorCode: .enhanceYourCalm)
    case .writable(let stream):
      unsafeDowncast(stream.object, to: ClientStream.self).drained()
    case .closed(let stream, let errorCode):
      unsafeDowncast(stream.object, to: ClientStream.self)
        .ended(errorCode == .noError ? .complete : .reset(errorCode))
    case .goAway(_, let errorCode):
      if errorCode != .noError {
        ending = .goAway(GoAway(errorCode: errorCode, reason: session.goAwayReason ?? ""))
      }
      retire()
    case .pingReceived, .pingAcknowledged: break
    }
  }

  // Not amid the events: those to come may hold the answers of calls whose streams are closed already.
  override func eventsHandled() {
    if isRetired && session.openStreams == 0 {
      close(ending ?? .goAway(GoAway(errorCode: .noError)))
    }
  }

  private func receiver(
    _ stream: EventReference<HTTP2Stream>
  ) -> (any HTTPResponseReceiver)? {
    unsafeDowncast(stream.object, to: ClientStream.self).receiver
  }

  private func retire() {
    if isRetired { return }
    isRetired = true
    onRetired(self)
  }

  /// Opens a stream; nil when this connection takes none any more. On the loop.
  ///
  /// - Throws: `resourceExhausted` when the head is larger than the server takes.
  func open(
    _ head: HeaderFields, isLast: Bool, receiver: any HTTPResponseReceiver
  ) throws(RPCError) -> ClientStream? {
    guard !isClosed, !isRetired else { return nil }
    let stream = ClientStream(connection: self, receiver: receiver)
    switch session.request(stream, OutgoingHeaders(head), hasBody: !isLast) {
    case .opened:
      markDirty()
      return stream
    case .refused:
      retire()
      return nil
    case .headTooLarge(let limit):
      throw RPCError(
        .resourceExhausted,
        "the request's metadata makes a header block of more than \(limit) bytes")
    }
  }

  /// The same from anywhere.
  ///
  /// - Parameter loop: the connection's; what belongs to the connection is touched there only.
  func opened(
    on loop: EventLoop, _ head: HeaderFields, isLast: Bool, receiver: any HTTPResponseReceiver
  ) async throws(RPCError) -> ClientStream? {
    let opened: Result<ClientStream?, RPCError> = await withCheckedContinuation { continuation in
      loop.run {
        continuation.resume(
          returning: Result { () throws(RPCError) in
            try self.open(head, isLast: isLast, receiver: receiver)
          })
      }
    }
    return try opened.get()
  }

  /// Ends the connection once its calls have ended. On the loop.
  func drain() {
    retire()
    if session.openStreams == 0 { close(.closed("the channel was closed")) }
  }

  override func closed(
    _ end: ConnectionEnd, _ streams: [(stream: HTTP2Stream, errorCode: HTTP2ErrorCode?)]
  ) {
    // What the server has said before says more.
    let end = ending ?? end
    ending = end
    retire()
    let ready = onReady
    onReady = nil
    ready?(.failure(end))
    if streams.isEmpty { return }
    let lost = RPCError(.unavailable, "\(endpoint): \(end)", cause: end)
    for (stream, errorCode) in streams {
      let end: StreamEnd =
        switch errorCode {
        case nil: .connectionLost(lost, processed: stream.hasBegun)
        case .noError?: .complete
        case let code?: .reset(code)
        }
      unsafeDowncast(stream, to: ClientStream.self).ended(end)
    }
  }
}
