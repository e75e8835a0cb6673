internal import Crypto
internal import HTTP2
internal import RPC
internal import Reactor

/// From the socket through TLS to the session's events.
extension HTTP2Connection {
  func readOnce() {
    let half = loop.readBuffer.count / 2
    let buffer = UnsafeMutableBufferPointer(rebasing: loop.readBuffer[..<half])
    switch Socket.read(descriptor.number, into: UnsafeMutableRawBufferPointer(buffer)) {
    case .bytes(let count):
      take(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
      // A message may have carried a key.
      buffer[..<count].update(repeating: 0)
    case .wouldBlock: break
    case .ended: carryOut(life.inputEnded(.closedByPeer))
    case .failed(let error):
      carryOut(life.inputEnded(ConnectionEnd(using: SystemError("read", errno: error))))
    }
  }

  func take(_ bytes: UnsafeBufferPointer<UInt8>) {
    hasReceived = true
    if tls == nil { receive(bytes) } else { receiveEncrypted(bytes) }
    markDirty()
  }

  private func receiveEncrypted(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let tls else { return }
    tls.receive(UnsafeRawBufferPointer(bytes))
    if isHandshaking {
      continueHandshake()
      if isHandshaking || isClosed { return }
    }
    let half = loop.readBuffer.count / 2
    let buffer = UnsafeMutableBufferPointer(rebasing: loop.readBuffer[half...])
    while !isClosed {
      switch tls.read(into: UnsafeMutableRawBufferPointer(buffer)) {
      case .bytes(let count):
        receive(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
        buffer[..<count].update(repeating: 0)
      case .wouldBlock: return
      case .closed: return close(.closedByPeer)
      case .failed(let error): return fail(error)
      }
    }
  }

  func continueHandshake() {
    guard let tls else { return }
    switch tls.handshake() {
    case .incomplete: markDirty()
    case .failed(let error): fail(error)
    case .complete:
      life.handshakeCompleted()
      guard tls.negotiatedProtocol == "h2" else {
        sayFarewell(tls)
        flushTLS()
        return close(.foreignProtocol(tls.negotiatedProtocol), lingers: !farewell.isEmpty)
      }
      markDirty()
      established()
    }
  }

  private func sayFarewell(_ tls: TLSEngine) {
    farewell.withUnsafeBytes { bytes in
      // What cannot be written would not be read either.
      do throws(TLSError) { try tls.write(bytes) } catch {}
    }
  }

  /// A TLS failure: the alert still goes out.
  private func fail(_ error: TLSError) {
    flushTLS()
    close(ConnectionEnd(error), lingers: true)
  }

  private func receive(_ bytes: UnsafeBufferPointer<UInt8>) {
    do throws(HTTP2ConnectionError) {
      try session.receive(bytes)
    } catch {
      // nghttp2 has queued a GOAWAY where the protocol wants one.
      drainEvents(bytes)
      produce()
      return close(.protocolError(error.message), lingers: true)
    }
    drainEvents(bytes)
  }

  func drainEvents(_ input: UnsafeBufferPointer<UInt8>) {
    let events = session.takeEvents()
    if events.isEmpty { return }
    for event in events {
      // After the end only the streams' own ends are of interest.
      if isClosed {
        guard case .closed = event else { continue }
      }
      handle(event, input)
    }
    eventsHandled()
    session.recycle(events)
  }

  /// Reads and drops what the peer still sends, until the peer closes too.
  func linger() {
    guard case .lingering = life.state else { return }
    let buffer = UnsafeMutableRawBufferPointer(loop.readBuffer)
    switch Socket.read(descriptor.number, into: buffer) {
    case .bytes(let count): carryOut(life.dropped(count))
    case .wouldBlock: break
    case .ended, .failed: carryOut(life.inputEnded(.closedByPeer))
    }
  }
}
