extension ServerCall: HTTPRequestReceiver {
  public func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
    if let refused { return refused.received(data, isLast: isLast) }
    unreleasedBytes += data.count
    guard machine.isOpen else { return returnCredit() }
    // A unary request usually arrives as one piece: decode it where it lies.
    if isLast, inbox == nil, resolved.isPlain, executor.runsAtOnce,
      data.count >= Envelope.prefixLength, data[0] == 0
    {
      let length = Int(data[1]) << 24 | Int(data[2]) << 16 | Int(data[3]) << 8 | Int(data[4])
      if length == data.count - Envelope.prefixLength
        && length <= resolved.limits.requestMessageBytes,
        machine.messageReceived() == .deliver, machine.requestEnded() == .startHandler
      {
        returnCredit()
        return startHandler(data.extracting(Envelope.prefixLength..<data.count))
      }
    }
    do throws(RPCError) {
      try take(data)
    } catch {
      return fail(error, amidRequest: !isLast)
    }
    guard updateHeld() else {
      return fail(
        RPCError(.resourceExhausted, "too many request bytes wait on this connection or server"),
        amidRequest: !isLast)
    }
    returnCredit()
    if isLast { receivedEnd() }
  }

  /// A Connect unary request that came otherwise than as a body.
  func receivedWhole(_ message: [UInt8]) {
    openInbox().body = message
    receivedEnd()
  }

  /// False when too much is kept.
  func updateHeld() -> Bool {
    guard let inbox else { return true }
    let held = machine.isOpen ? inbox.heldBytes : 0
    let change = held - inbox.reportedBytes
    inbox.reportedBytes = held
    return change == 0 || stream.holds(change)
  }

  private func take(_ data: borrowing Span<UInt8>) throws(RPCError) {
    let inbox = openInbox()
    switch form.family {
    case .connectUnary:
      if inbox.body.count + data.count > limits.requestMessageBytes {
        throw RPCError(
          .resourceExhausted,
          "the request is larger than the limit of \(limits.requestMessageBytes) bytes")
      }
      data.withUnsafeBufferPointer { inbox.body.append(contentsOf: $0) }
    case .grpcWebText:
      guard let bytes = inbox.textDecoder.decode(data) else {
        throw RPCError(.internalError, "the request is not base64")
      }
      try cut(bytes.span, inbox)
    case .grpc, .grpcWeb, .connectStreaming: try cut(data, inbox)
    }
  }

  private func cut(_ data: borrowing Span<UInt8>, _ inbox: RequestInbox) throws(RPCError) {
    try inbox.reader.receive(data) { (flags, message) throws(RPCError) in
      try self.receivedEnvelope(flags, message)
    } deliverWhole: { (envelope) throws(RPCError) in
      if envelope[0] == 0 {
        let start = Envelope.prefixLength
        return try self.receivedMessage(RequestInbox.Message(bytes: envelope, start: start))
      }
      let message = envelope.span.extracting(Envelope.prefixLength..<envelope.count)
      try self.receivedEnvelope(envelope[0], message)
    }
  }

  private func receivedEnvelope(
    _ flags: UInt8, _ message: borrowing Span<UInt8>
  ) throws(RPCError) {
    if flags & ~Envelope.compressedFlag != 0 { throw unknownFlags(flags) }
    if flags & Envelope.compressedFlag == 0 {
      return try receivedMessage(
        RequestInbox.Message(bytes: message.withUnsafeBufferPointer { Array($0) }))
    }
    guard let compression = form.requestCompression else {
      throw RPCError(.internalError, "a compressed message, but the call names no encoding")
    }
    try receivedMessage(
      RequestInbox.Message(
        bytes: try compression.decompress(message, limit: limits.requestMessageBytes),
        wasCompressed: true))
  }

  /// A bit that a later version of a protocol may define must not be taken for nothing.
  private func unknownFlags(_ flags: UInt8) -> RPCError {
    switch form.family {
    case .connectStreaming where flags & 0x02 != 0:
      RPCError(.invalidArgument, "a client does not send an end-of-stream envelope")
    case .grpcWeb where flags & 0x80 != 0, .grpcWebText where flags & 0x80 != 0:
      RPCError(.internalError, "a client does not send trailers")
    default:
      RPCError(
        form.family == .connectStreaming ? .invalidArgument : .internalError,
        "a message has unknown flags: \(flags)")
    }
  }

  private func receivedMessage(_ message: RequestInbox.Message) throws(RPCError) {
    switch machine.messageReceived() {
    case .deliver: break
    case .refuseSecondMessage:
      throw RPCError(.unimplemented, "\(path) takes one request message, and a second one came")
    case .ignore: return
    }
    let inbox = openInbox()
    if inbox.handOver(message) {
      requestWasCompressed = message.wasCompressed
    } else {
      inbox.append(message)
    }
  }

  public func receivedEnd() {
    guard machine.isOpen else {
      refused?.receivedEnd()
      return
    }
    if let inbox, !inbox.isAtBoundary {
      return fail(
        RPCError(
          form.family == .grpc ? .internalError : .invalidArgument,
          "the request ended in the middle of a message"))
    }
    if form.family == .connectUnary {
      do throws(RPCError) { try takeUnaryBody() } catch { return fail(error) }
    }
    switch machine.requestEnded() {
    case .startHandler: startHandler()
    case .endInput:
      inputEnded = true
      inbox?.close()
    case .refuseMissingMessage:
      fail(RPCError(.unimplemented, "\(path) takes one request message, and none came"))
    case .ignore: break
    }
  }

  public func streamWritable() {
    resumeWriters()
    if let group = following.group { group.catchUp(self) }
  }

  public func streamClosed(errorCode: UInt32?) {
    if machine.streamLost() == .cancelHandler { abandon() }
    refused?.streamClosed(errorCode: errorCode)
  }

  /// The whole body of a Connect unary request is its message.
  private func takeUnaryBody() throws(RPCError) {
    let inbox = openInbox()
    let whole = inbox.body
    inbox.body = []
    guard let compression = form.requestCompression, !whole.isEmpty else {
      return try receivedMessage(RequestInbox.Message(bytes: whole))
    }
    try receivedMessage(
      RequestInbox.Message(
        bytes: try compression.decompress(whole.span, limit: limits.requestMessageBytes),
        wasCompressed: true))
  }
}
