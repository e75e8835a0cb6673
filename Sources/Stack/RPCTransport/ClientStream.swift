internal import HTTP2
internal import HTTP2Codes
internal import RPC
internal import Reactor
internal import Synchronization

/// One call's stream on a client connection. The public members may be called from anywhere.
final class ClientStream: HTTP2Stream, HTTPClientStream, @unchecked Sendable {
  // @unchecked: what is mutable is confined to the loop, but for the atomic.
  private let loop: EventLoop
  private var connection: ClientConnection?
  private(set) var receiver: (any HTTPResponseReceiver)?
  /// Bytes given to `send` that have not left, as far as is known outside the loop. What is done on other
  /// threads begins with reading it, so that it is seen to come after the stream was made:
  /// ThreadSanitizer does not see that of a continuation that was resumed before it was awaited.
  private let queued = Atomic(0)

  init(connection: ClientConnection, receiver: any HTTPResponseReceiver) {
    self.loop = connection.loop
    self.connection = connection
    self.receiver = receiver
    super.init()
    queued.store(0, ordering: .releasing)
  }

  private func onLoop(_ work: @escaping @Sendable (ClientConnection) -> Void) {
    _ = queued.load(ordering: .acquiring)
    if loop.isCurrent {
      if let connection { work(connection) }
    } else {
      loop.run { if let connection = self.connection { work(connection) } }
    }
  }

  func send(_ bytes: [UInt8], isLast: Bool) {
    queued.add(bytes.count, ordering: .relaxed)
    onLoop { connection in
      connection.session.send(self, bytes)
      if isLast { connection.session.finish(self, nil) }
      // Every send asks to hear of its leaving: `queued` is only known to shrink by that.
      self.wantsWritable = true
      connection.markDirty()
    }
  }

  func reset(_ errorCode: HTTP2ErrorCode) {
    onLoop { connection in
      connection.session.reset(self, errorCode: errorCode)
      connection.markDirty()
    }
  }

  func release(_ bytes: Int) {
    onLoop { connection in
      connection.session.release(self, bytes)
      connection.markDirty()
    }
  }

  var queuedBytes: Int { queued.load(ordering: .relaxed) }

  func drained() {
    queued.store(bufferedBytes, ordering: .relaxed)
    receiver?.streamWritable()
  }

  func ended(_ end: StreamEnd) {
    let receiver = self.receiver
    self.receiver = nil
    connection = nil
    receiver?.streamClosed(end)
  }
}
