internal import HTTP2
internal import HTTP2Codes
internal import RPC

/// One HTTP exchange on a server connection.
final class ServerStream: HTTP2Stream, HTTPServerStream {
  // Small members first: they fill a gap of the class above.
  /// The answer is whole and is no call's.
  private(set) var isPage = false
  /// How often the whole answer was seen to wait.
  var looks: UInt8 = 0
  /// How often in a row the request was seen unfinished, without a byte of it since.
  var silentLooks: UInt8 = 0
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
      let isPage = receiver?.isCall != true
      guard connection.hasRoom(forPage: isPage) else { return refuse() }
      if isPage && !self.isPage {
        self.isPage = true
        connection.pages += 1
      }
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
      guard connection.hasRoom() else { return refuse() }
      connection.session.send(self, bytes)
      if bufferedBytes > Self.highWater { wantsWritable = true }
      connection.markDirty()
    }
  }

  func sendData(_ write: (inout [UInt8]) throws -> Void) rethrows {
    try withConnection { connection in
      guard connection.hasRoom() else { return refuse() }
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
    withConnection {
      $0.report(.readerTooSlow, "\($0.waitingBytes) bytes wait for the client, which asks for more")
    }
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
    if isPage { borrowed?._withUnsafeGuaranteedRef { $0.pages -= 1 } }
    borrowed = nil
  }

  private func tell(_ errorCode: HTTP2ErrorCode) {
    let receiver = self.receiver
    self.receiver = nil
    receiver?.streamClosed(errorCode: errorCode == .noError ? nil : errorCode)
  }
}
