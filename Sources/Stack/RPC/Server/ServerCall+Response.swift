internal import Synchronization

/// The response's sink: where the handler's messages go.
extension ServerCall {
  /// A message of a plain call, in its envelope.
  func envelope<M>(_ message: M, _ encode: (M, inout [UInt8]) throws -> Void) throws -> [UInt8] {
    var buffer: [UInt8] = []
    buffer.reserveCapacity(128)
    Envelope.open(&buffer)
    try encode(message, &buffer)
    Envelope.seal(&buffer, from: 0, flags: 0)
    try CallForm.check(
      buffer.count - Envelope.prefixLength, resolved.limits.responseMessageBytes)
    return buffer
  }

  /// A message as this call writes it.
  package func encode<M>(
    _ message: M, _ codec: MessageCodec<M>, compresses: Bool = true
  ) throws -> [UInt8] {
    try form.encode(
      message, codec,
      compressionThreshold: !compresses
        ? .max : compressingForm != nil ? 0 : limits.compressionThresholdBytes,
      limit: limits.responseMessageBytes)
  }

  func responseHead() -> ResponseHead {
    form.head(extras?.metadata.withLock { $0.initial } ?? Metadata())
  }

  /// Sends one message, given as `encode` made it; returns when there is room for more.
  ///
  /// - Throws: `cancelled` when the call is over, or when the task is cancelled while it waits.
  package func send(_ envelope: consuming [UInt8]) async throws(RPCError) {
    if isOnExecutor {
      if try sendNow(envelope) { return }
    } else {
      let envelope = envelope
      let sent: Result<Bool, RPCError> = await onExecutor { call in
        do throws(RPCError) { return .success(try call.sendNow(envelope)) } catch {
          return .failure(error)
        }
      }
      if try sent.get() { return }
    }
    try await waitForRoom()
  }

  /// Whether more may be written without waiting.
  var hasRoom: Bool { stream.bufferedBytes <= limits.responseBufferBytes }

  /// Whether a message of a broadcast may be sent, which can wait: if not, `streamWritable` comes when it may.
  var hasRoomToFollow: Bool { hasRoom && !stream.waitsForRoom() }

  /// Returns when there is room for more, or the call is over.
  ///
  /// Concurrent, so that it resumes on the call's executor, and not where an actor happens to run that
  /// writes.
  ///
  /// - Throws: `cancelled` when the task is cancelled: a handler may have several, and leave one of them.
  @concurrent
  @inline(never)
  func waitForRoom() async throws(RPCError) {
    let isCancelled = await onExecutor { call in
      while call.machine.isOpen && !call.hasRoom {
        if Task.isCancelled { return true }
        await call.waitForWritable()
      }
      return false
    }
    if isCancelled { throw RPCError(.cancelled, "the task that writes was cancelled") }
  }

  /// Returns when there may be room, the call is over, or the task is cancelled. On the executor.
  private func waitForWritable() async {
    let extras = makeExtras()
    let ticket = extras.writers.takeTicket()
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if Task.isCancelled || !machine.isOpen || hasRoom { return continuation.resume() }
        extras.writers.add(ticket, continuation)
      }
    } onCancel: {
      executor.run { self.stopWriter(ticket) }
    }
  }

  private func stopWriter(_ ticket: Int) { extras?.writers.remove(ticket)?.resume() }

  func resumeWriters() {
    guard let extras, !extras.writers.isEmpty else { return }
    for writer in extras.writers.removeAll() { writer.resume() }
  }

  /// Sends a message of a plain call, on the executor; whether there is room for more.
  func sendNow<M>(_ message: M, _ codec: MessageCodec<M>) throws -> Bool {
    try beginMessage()
    try stream.sendData { buffer in
      let start = buffer.count
      Envelope.open(&buffer)
      try codec.encode(message, &buffer)
      Envelope.seal(&buffer, from: start, flags: 0)
      try CallForm.check(
        buffer.count - start - Envelope.prefixLength, resolved.limits.responseMessageBytes)
    }
    return stream.bufferedBytes <= resolved.limits.responseBufferBytes
  }

  /// Sends a message of a broadcast, on the executor; whether there is room for more.
  func sendNow(_ message: BroadcastMessage) throws -> Bool {
    try sendNow(try message.bytes(for: self))
  }

  private func beginMessage() throws(RPCError) {
    switch machine.messageWritten() {
    case .sendHeadFirst: stream.sendHead(responseHead())
    case .send: break
    case .discard: throw RPCError(.cancelled, "the call is over")
    }
  }

  /// Whether there is room for more.
  func sendNow(_ envelope: consuming [UInt8]) throws(RPCError) -> Bool {
    try beginMessage()
    stream.sendData(envelope)
    return stream.bufferedBytes <= limits.responseBufferBytes
  }
}
