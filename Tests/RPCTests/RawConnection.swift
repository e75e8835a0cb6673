import Glibc
import RPC

/// A Unix socket that speaks whatever bytes it is given: what a hostile or broken peer does.
final class RawConnection {
  private let descriptor: Int32

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let result = Self.withAddress(path) { connect(descriptor, $0, $1) }
    guard result == 0 else { throw RPCError(.unavailable, "connect failed") }
    limitTimes()
  }

  /// A Unix socket's path as the kernel wants it.
  static func withAddress<R>(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
  ) -> R {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    return withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// A connection that a server has accepted.
  init(accepted descriptor: Int32) {
    self.descriptor = descriptor
    limitTimes()
  }

  /// A TCP connection on loopback.
  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = UInt16(port).bigEndian
    let result = withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw RPCError(.unavailable, "connect failed") }
    limitTimes()
  }

  private func limitTimes() {
    var timeout = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(
      descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  /// False when the peer has closed the connection.
  @discardableResult func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return false }
      sent += count
    }
    return true
  }

  /// Takes nothing more: what the other side writes from now on fails.
  func endReading() { shutdown(descriptor, Int32(SHUT_RD)) }

  /// Says that nothing more will be sent, and goes on reading.
  func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Takes what has come, without waiting for more; how much that was.
  @discardableResult func readSome() -> Int {
    var buffer = [UInt8](repeating: 0, count: 65536)
    var all = 0
    while true {
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      if count <= 0 { return all }
      all += count
    }
  }

  /// Reads until the bytes have come; false when the peer closes or is silent before that.
  func read(until wanted: [UInt8]) -> Bool {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count <= 0 { return false }
      // What was looked through before is kept as far as the bytes may have begun in it.
      all = Array(all.suffix(wanted.count)) + buffer[..<count]
      let found = all.indices.contains { start in
        start + wanted.count <= all.count && all[start..<start + wanted.count] == wanted[...]
      }
      if found { return true }
    }
  }

  struct Frame {
    var type: UInt8
    var flags: UInt8
    var payload: [UInt8]
  }

  /// The frames that come, up to one for which the condition holds; all that came when the peer closes or is
  /// silent before that.
  func frames(until isLast: (Frame) -> Bool) -> [Frame] {
    var frames: [Frame] = []
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      while all.count >= 9 {
        let length = Int(all[0]) << 16 | Int(all[1]) << 8 | Int(all[2])
        guard all.count >= 9 + length else { break }
        frames.append(
          Frame(type: all[3], flags: all[4], payload: Array(all[9..<9 + length])))
        all.removeFirst(9 + length)
        if isLast(frames[frames.count - 1]) { return frames }
      }
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count <= 0 { return frames }
      all += buffer[..<count]
    }
  }

  /// What comes next; empty when the peer closes or is silent.
  func readOnce() -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    return Array(buffer.prefix(max(0, count)))
  }

  /// Everything until the peer closes, for at most `limit` bytes; nil when it does not close.
  func readToEnd(limit: Int = 1 << 20) -> [UInt8]? {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while all.count < limit {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count == 0 { return all }
      if count < 0 { return errno == ECONNRESET ? all : nil }
      all += buffer[..<count]
    }
    return nil
  }

  static func frame(_ type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
    let n = payload.count
    return [
      UInt8(n >> 16), UInt8(n >> 8 & 255), UInt8(n & 255), type, flags, UInt8(stream >> 24),
      UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255), UInt8(stream & 255),
    ] + payload
  }

  /// A HEADERS block in HPACK literals without indexing.
  static func fields(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { name, value -> [UInt8] in
      [0x00] + length(name.utf8.count) + Array(name.utf8) + length(value.utf8.count)
        + Array(value.utf8)
    }
  }

  private static func length(_ count: Int) -> [UInt8] {
    if count < 127 { return [UInt8(count)] }
    var out: [UInt8] = [127]
    var rest = count - 127
    while rest >= 128 {
      out.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    return out + [UInt8(rest)]
  }

  static let echoRequest = fields([
    (":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/Unary"),
    (":authority", "x"), ("content-type", "application/grpc"), ("te", "trailers"),
  ])
}
