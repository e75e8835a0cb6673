import Crypto
import Foundation
import Synchronization

/// A blocking server for one connection after another on loopback, so that other programs can try
/// the engine. It sends back what it reads.
final class LoopbackTLSServer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let handshakes = Atomic<Int>(0)
  private let lastError = Mutex<TLSError?>(nil)

  var completedHandshakes: Int { handshakes.load(ordering: .relaxed) }
  var error: TLSError? { lastError.withLock { $0 } }

  init(_ context: TLSContext) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(listener, generic, length) == 0 && listen(listener, 8) == 0
          && getsockname(listener, generic, &length) == 0
      }
    }
    guard isBound else { throw POSIXError(.EADDRINUSE) }
    port = UInt16(bigEndian: address.sin_port)
    self.listener = listener
    Thread.detachNewThread { [self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        serve(connection, context)
        close(connection)
      }
    }
  }

  /// Stops listening; the thread ends.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private func serve(_ connection: Int32, _ context: TLSContext) {
    guard let engine = try? TLSEngine(context) else { return }
    var isCounted = false
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { engine.receiveEnd() } else { engine.receive(Array(buffer[..<count])) }
      let read = engine.readAll()
      if engine.isHandshakeComplete, !isCounted {
        isCounted = true
        handshakes.add(1, ordering: .relaxed)
      }
      if !read.bytes.isEmpty { try? engine.write(read.bytes) }
      if read.end == .closed { engine.closeNotify() }
      engine.drainCiphertext {
        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if case .failed(let error) = read.end { lastError.withLock { $0 = error } }
      guard read.end == .wouldBlock, count > 0 else { return }
    }
  }
}
