import Crypto
import RPC

/// A TLS connection that speaks whatever bytes it is given.
final class RawTLSConnection {
  private let connection: RawConnection
  private let engine: TLSEngine
  private var unread: [UInt8] = []

  init(port: Int, _ context: TLSContext) throws {
    connection = try RawConnection(port: port)
    engine = try TLSEngine(context, serverName: "127.0.0.1")
    for _ in 0..<100 {
      let result = engine.handshake()
      flush()
      switch result {
      case .complete: return
      case .incomplete: guard receive() else { throw RPCError(.unavailable, "the peer closed") }
      case .failed(let error): throw error
      }
    }
    throw RPCError(.unavailable, "the handshake does not end")
  }

  private func flush() {
    var bytes: [UInt8] = []
    engine.drainCiphertext(into: &bytes)
    if !bytes.isEmpty { connection.send(bytes) }
  }

  private func receive() -> Bool {
    let bytes = connection.readOnce()
    bytes.withUnsafeBytes { engine.receive($0) }
    return !bytes.isEmpty
  }

  func send(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
      // What a connection that has ended does not take is not answered either.
      do throws(TLSError) { try engine.write(bytes) } catch {}
    }
    flush()
  }

  /// The frames that come, up to one for which the condition holds.
  func frames(until isLast: (RawConnection.Frame) -> Bool) -> [RawConnection.Frame] {
    var frames: [RawConnection.Frame] = []
    while true {
      while unread.count >= 9 {
        let length = Int(unread[0]) << 16 | Int(unread[1]) << 8 | Int(unread[2])
        guard unread.count >= 9 + length else { break }
        let payload = Array(unread[9..<9 + length])
        let frame = RawConnection.Frame(type: unread[3], flags: unread[4], payload: payload)
        unread.removeFirst(9 + length)
        frames.append(frame)
        if isLast(frame) { return frames }
      }
      var buffer = [UInt8](repeating: 0, count: 16384)
      let result = buffer.withUnsafeMutableBytes { engine.read(into: $0) }
      switch result {
      case .bytes(let count): unread += buffer[..<count]
      case .wouldBlock: guard receive() else { return frames }
      case .closed, .failed: return frames
      }
    }
  }
}
