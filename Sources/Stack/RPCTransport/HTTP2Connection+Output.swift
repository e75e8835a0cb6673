internal import Crypto
internal import HTTP2
internal import RPC
internal import Reactor

/// From the session through TLS to the socket.
extension HTTP2Connection {
  /// Sends what the session has to say, as far as the socket takes it.
  func produce() {
    guard output.isEmpty, life.takesOutput else { return }
    if isHandshaking { return flushTLS() }
    // What a frame's leaving causes (a stream's end, room in a buffer) may cause more frames.
    var goesOn = false
    for _ in 0..<8 where !isClosed && output.isEmpty {
      var buffer = loop.writeBuffer
      loop.writeBuffer = []
      do throws(HTTP2ConnectionError) {
        try session.produce(into: &buffer, limit: Self.outputLimit)
      } catch {
        loop.writeBuffer = buffer
        return close(.protocolError(error.message))
      }
      let isEmpty = buffer.isEmpty
      if !isEmpty {
        send(&buffer)
        // A message may have carried a key.
        buffer.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
      }
      buffer.removeAll(keepingCapacity: buffer.capacity <= 2 * Self.outputLimit)
      loop.writeBuffer = buffer
      if isClosed { return }
      drainEvents(UnsafeBufferPointer(start: nil, count: 0))
      goesOn = !isEmpty && session.wantsToSend
      if !goesOn { break }
    }
    // The rest in the next turn: others have their turn before.
    if goesOn && !isClosed && output.isEmpty { markDirty() }
    if tls != nil && output.isEmpty && !isClosed { flushTLS() }
  }

  private func send(_ buffer: inout [UInt8]) {
    if let tls {
      let failure = buffer.withUnsafeBytes { bytes -> TLSError? in
        do throws(TLSError) {
          try tls.write(bytes)
          return nil
        } catch { return error }
      }
      if let failure { return close(ConnectionEnd(failure)) }
      output.append { tls.drainCiphertext(into: &$0) }
      return flush()
    }
    written(output.send(buffer) { Socket.write(descriptor.number, $0) })
  }

  func flush() {
    written(output.flush { Socket.write(descriptor.number, $0) })
  }

  private func written(_ outcome: OutputQueue.Outcome) {
    switch outcome {
    case .written: watchWrites(false)
    case .waits: watchWrites(true)
    case .failed(let end): carryOut(life.writeFailed(end))
    }
  }

  func watchWrites(_ wanted: Bool) {
    if wanted == wantsWrites || isClosed { return }
    wantsWrites = wanted
    loop.watch(descriptor.number, reads: true, writes: wanted)
  }

  /// Sends what TLS itself has to say.
  func flushTLS() {
    guard let tls, !isClosed else { return }
    output.append { tls.drainCiphertext(into: &$0) }
    flush()
  }
}
