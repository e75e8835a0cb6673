public import HTTP2Codes

/// The request's source: takes in what the transport brings, and hands messages to the handler.
extension ServerCall: HTTPRequestReceiver {
  public var isCall: Bool { true }

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
      try openInbox().reader.receive(data) { (message) throws(RPCError) in
        try self.receivedMessage(message)
      }
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
    openInbox().reader.receive(whole: message)
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

  private func receivedMessage(_ message: RequestMessage) throws(RPCError) {
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
    if inbox != nil || form.family == .connectUnary {
      do throws(RPCError) {
        if let message = try openInbox().reader.end() { try receivedMessage(message) }
      } catch { return fail(error) }
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

  public var awaitsRequest: Bool { machine.awaitsRequest }

  public func requestStalled() {
    fail(RPCError(.deadlineExceeded, "no more of the request has come for too long"))
  }

  public func streamWritable() {
    resumeWriters()
    if let group = following.group { group.catchUp(self) }
  }

  public func streamClosed(errorCode: HTTP2ErrorCode?) {
    if machine.streamLost() == .cancelHandler { abandon() }
    refused?.streamClosed(errorCode: errorCode)
  }
}

extension ServerCall {
  /// The one request message. To be called once, before the handler first suspends.
  ///
  /// - Throws: an `RPCError` that tells the caller what is wrong with the message.
  @inline(__always)
  func takeRequest<M>(
    _ path: String, _ decode: (borrowing Span<UInt8>) throws -> M
  ) throws -> M {
    do {
      guard let lent = stream.handlers.lentRequest.bytes else {
        return try takeKeptRequest(path, decode)
      }
      return try decode(lent.span)
    } catch { throw form.malformed(path, error) }
  }

  @inline(never)
  private func takeKeptRequest<M>(
    _ path: String, _ decode: (borrowing Span<UInt8>) throws -> M
  ) throws -> M {
    guard let request = dequeue() else {
      throw RPCError(.internalError, "the request of \(path) is not where its handler began")
    }
    extras?.inbox = nil
    return try decode(request.bytes.span.extracting(request.start..<request.bytes.count))
  }

  /// The next request message, nil when the client has sent its last.
  ///
  /// - Throws: `CancellationError` when the call is over before, or the task is cancelled; `internalError`
  ///   when another reader waits already.
  func nextMessage() async throws -> RequestMessage? {
    let next = await onExecutor { call -> Result<RequestMessage?, any Error> in
      if let message = call.dequeue() { return .success(message) }
      if call.inputEnded { return .success(nil) }
      if call.isOver { return .failure(CancellationError()) }
      if call.openInbox().hasReader {
        return .failure(RPCError(.internalError, "a request stream has one reader at a time"))
      }
      if let message = await call.waitForMessage() { return .success(message) }
      return call.inputEnded && !Task.isCancelled ? .success(nil) : .failure(CancellationError())
    }
    return try next.get()
  }

  /// The next message to come; nil at the end of the request or the call, or when the task is cancelled.
  /// On the executor.
  private func waitForMessage() async -> RequestMessage? {
    let ticket = openInbox().takeTicket()
    return await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        // Something may have come while the task got here.
        if let message = dequeue() { return continuation.resume(returning: message) }
        if Task.isCancelled || inputEnded || isOver { return continuation.resume(returning: nil) }
        openInbox().wait(ticket, continuation)
      }
    } onCancel: {
      executor.run { self.inbox?.stopWaiting(ticket) }
    }
  }

  private func dequeue() -> RequestMessage? {
    guard let message = inbox?.take() else { return nil }
    requestWasCompressed = message.wasCompressed
    // Holding less is never refused.
    _ = updateHeld()
    returnCredit()
    return message
  }

  func openInbox() -> RequestInbox {
    if let inbox { return inbox }
    let opened = RequestInbox(
      RequestReader(form: resolved.form, limit: limits.requestMessageBytes))
    makeExtras().inbox = opened
    return opened
  }

  func returnCredit() {
    if unreleasedBytes > 0 && (inbox?.queuedBytes ?? 0) < limits.requestBufferBytes {
      stream.release(unreleasedBytes)
      unreleasedBytes = 0
    }
  }
}
