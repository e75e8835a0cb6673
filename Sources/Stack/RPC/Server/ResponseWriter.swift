/// Where a streaming handler puts its response messages.
///
/// Valid while the handler runs.
public struct ResponseWriter<Response: Sendable>: Sendable {
  let call: ServerCall
  let codec: MessageCodec<Response>

  /// Sends one message. Suspends while the peer reads more slowly than the handler writes, so a
  /// slow reader costs one buffer and no more.
  ///
  /// - Parameter compresses: false sends this one uncompressed although the call compresses.
  /// - Throws: `RPCError` with `cancelled` when the call is over, or when the task is cancelled while it
  ///   waits; what the codec throws.
  public func write(_ message: Response, compresses: Bool = true) async throws {
    if call.isOnExecutor && call.isPlain {
      if try call.sendNow(message, codec) { return }
      return try await call.waitForRoom()
    }
    try await call.send(try call.encode(message, codec, compresses: compresses))
  }
}

/// The messages a client streams to the server, as the handler reads them. One reader at a time.
public struct RequestStream<Request: Sendable>: AsyncSequence, Sendable {
  public typealias Element = Request
  let call: ServerCall
  let codec: MessageCodec<Request>
  let path: String

  public struct AsyncIterator: AsyncIteratorProtocol {
    let stream: RequestStream

    /// The next message; nil once the client has sent its last.
    ///
    /// - Throws: `internalError` for a malformed message, and for a second reader while another waits;
    ///   `CancellationError` when the call ended before that, or the task was cancelled.
    public mutating func next() async throws -> Request? {
      guard let message = try await stream.call.nextMessage() else { return nil }
      do { return try message.decode(stream.codec, stream.call.form) } catch {
        throw stream.call.form.malformed(stream.path, error)
      }
    }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
