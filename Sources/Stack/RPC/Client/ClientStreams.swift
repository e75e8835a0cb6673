/// The responses of a call, read once, by one reader at a time.
///
/// Reading slowly slows the server: no more than a window of messages is buffered.
public struct ResponseStream<Message: Sendable>: AsyncSequence, Sendable {
  public typealias Element = Message
  let call: ClientCall
  let codec: MessageCodec<Message>
  let form: ClientForm

  public struct AsyncIterator: AsyncIteratorProtocol {
    let stream: ResponseStream

    /// The next message; nil when the call ended with OK.
    ///
    /// - Throws: `RPCError`, the call's status.
    public mutating func next() async throws -> Message? {
      guard let bytes = try await stream.call.next() else { return nil }
      return try stream.form.decode(bytes, stream.codec)
    }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }

  /// The metadata of the response's head; waits for it.
  public func initialMetadata() async -> Metadata { await call.initialMetadata() }

  /// The metadata of the status; empty until the stream has ended.
  public var trailingMetadata: Metadata { call.trailingMetadata }
}

/// Where the body of a streaming call puts its requests.
public struct RequestWriter<Message: Sendable>: Sendable {
  let call: ClientCall
  let codec: MessageCodec<Message>
  let form: ClientForm
  let kind: MethodKind

  /// Sends one message; suspends while the server takes them more slowly.
  ///
  /// - Parameter compresses: false sends this one uncompressed although the client compresses.
  /// - Throws: the call's status when it has ended with an error; `cancelled` when it has ended.
  public func write(_ message: Message, compresses: Bool = true) async throws {
    try await call.send(
      try form.encode(message, codec, kind, compresses: compresses), isLast: false)
  }

  /// Says that no more will come.
  public func finish() async throws { try await call.send([], isLast: true) }
}
