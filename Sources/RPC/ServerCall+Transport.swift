extension ServerCall: HTTPRequestReceiver {
  public func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
    unreleasedBytes += data.count
    guard machine.isOpen else { return returnCredit() }
    // A unary request usually arrives as one piece: decode it where it lies.
    if isLast, form === CallForm.plain, !machine.kind.clientStreams, reader.isAtBoundary,
      queue.isEmpty,
      data.count >= Envelope.prefixLength, data[0] == 0
    {
      let length = Int(data[1]) << 24 | Int(data[2]) << 16 | Int(data[3]) << 8 | Int(data[4])
      if length == data.count - Envelope.prefixLength && length <= limits.requestMessageBytes,
        machine.messageReceived() == .deliver, machine.requestEnded() == .startHandler
      {
        returnCredit()
        return handler.start(self, data.extracting(Envelope.prefixLength..<data.count))
      }
    }
    do throws(RPCError) {
      try take(data)
    } catch {
      return fail(error)
    }
    guard updateHeld() else {
      return fail(
        RPCError(.resourceExhausted, "too many request bytes wait on this connection or server"))
    }
    returnCredit()
    if isLast { receivedEnd() }
  }

  /// False when too much is kept.
  func updateHeld() -> Bool {
    let held = machine.isOpen ? reader.partialBytes + queuedBytes + body.count : 0
    let change = held - heldBytes
    heldBytes = held
    return change == 0 || stream.holds(change)
  }

  private func take(_ data: borrowing Span<UInt8>) throws(RPCError) {
    switch form.family {
    case .connectUnary:
      if body.count + data.count > limits.requestMessageBytes {
        throw RPCError(
          .resourceExhausted,
          "the request is larger than the limit of \(limits.requestMessageBytes) bytes")
      }
      data.withUnsafeBufferPointer { body.append(contentsOf: $0) }
    case .grpcWebText:
      guard let bytes = textDecoder.decode(data) else {
        throw RPCError(.internalError, "the request is not base64")
      }
      try cut(bytes.span)
    case .grpc, .grpcWeb, .connectStreaming: try cut(data)
    }
  }

  private func cut(_ data: borrowing Span<UInt8>) throws(RPCError) {
    try reader.receive(data) { (flags, message) throws(RPCError) in
      try self.receivedEnvelope(flags, message)
    }
  }

  private func receivedEnvelope(
    _ flags: UInt8, _ message: borrowing Span<UInt8>
  ) throws(RPCError) {
    if form.family == .connectStreaming && flags & 0x02 != 0 {
      throw RPCError(.invalidArgument, "a client does not send an end-of-stream envelope")
    }
    if flags & Envelope.compressedFlag == 0 {
      return try receivedMessage(message.withUnsafeBufferPointer { Array($0) })
    }
    guard let compression = form.requestCompression else {
      throw RPCError(.internalError, "a compressed message, but the call names no encoding")
    }
    try receivedMessage(
      try compression.decompress(message, limit: limits.requestMessageBytes), wasCompressed: true)
  }

  private func receivedMessage(
    _ bytes: [UInt8], wasCompressed: Bool = false
  ) throws(RPCError) {
    switch machine.messageReceived() {
    case .deliver: break
    case .refuseSecondMessage:
      throw RPCError(.unimplemented, "\(path) takes one request message, and a second one came")
    case .ignore: return
    }
    if let waiter = inputWaiter {
      inputWaiter = nil
      requestWasCompressed = wasCompressed
      waiter.resume(returning: bytes)
    } else {
      queue.append(bytes)
      if form.requestCompression != nil { queueFlags.append(wasCompressed) }
      queuedBytes += bytes.count
    }
  }

  public func receivedEnd() {
    guard machine.isOpen else { return }
    if !reader.isAtBoundary || !textDecoder.isAtBoundary {
      return fail(
        RPCError(
          form.family == .grpc ? .internalError : .invalidArgument,
          "the request ended in the middle of a message"))
    }
    if form.family == .connectUnary {
      do throws(RPCError) { try takeUnaryBody() } catch { return fail(error) }
    }
    switch machine.requestEnded() {
    case .startHandler:
      let request = queue[0]
      queue = []
      requestWasCompressed = queueFlags.first ?? false
      queueFlags = []
      queuedBytes = 0
      _ = updateHeld()
      returnCredit()
      handler.start(self, request.span)
    case .endInput:
      inputEnded = true
      if let waiter = inputWaiter {
        inputWaiter = nil
        waiter.resume(returning: nil)
      }
    case .refuseMissingMessage:
      fail(RPCError(.unimplemented, "\(path) takes one request message, and none came"))
    case .ignore: break
    }
  }

  public func streamWritable() {
    let waiters = writeWaiters
    writeWaiters = []
    for waiter in waiters { waiter.resume() }
  }

  public func streamClosed(errorCode: UInt32?) {
    if machine.streamLost() == .cancelHandler {
      let task = self.task
      release()
      task?.cancel()
    }
  }

  /// The whole body of a Connect unary request is its message.
  private func takeUnaryBody() throws(RPCError) {
    let whole = body
    body = []
    guard let compression = form.requestCompression, !whole.isEmpty else {
      return try receivedMessage(whole)
    }
    try receivedMessage(
      try compression.decompress(whole.span, limit: limits.requestMessageBytes),
      wasCompressed: true)
  }
}
