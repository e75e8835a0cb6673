import Glibc

/// What the test programs read and write: files, standard streams, length-prefixed messages.
public enum StandardIO {
  /// A whole file as text; empty when it cannot be read.
  public static func contents(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { break }
      all += chunk[..<count]
    }
    return String(decoding: all, as: UTF8.self)
  }

  /// Writes a line to standard output, at once.
  public static func say(_ line: String) { _ = write(Array((line + "\n").utf8), to: 1) }

  /// Writes a line to standard error.
  public static func complain(_ line: String) { _ = write(Array((line + "\n").utf8), to: 2) }

  /// The next message of standard input, after its length in four bytes, the highest first; nil at
  /// the end of the input.
  public static func readMessage() -> [UInt8]? {
    guard let prefix = read(4) else { return nil }
    let length = prefix.reduce(0) { $0 << 8 | Int($1) }
    return length > 64 << 20 ? nil : read(length)
  }

  /// Writes a message to standard output, after its length.
  ///
  /// - Returns: whether anyone takes it.
  public static func writeMessage(_ bytes: [UInt8]) -> Bool {
    let prefix = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bytes.count >> $0) }
    return write(prefix + bytes, to: 1)
  }

  /// Returns when standard input has ended.
  public static func waitForEndOfInput() { while read(1) != nil {} }

  private static func read(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let received = bytes.withUnsafeMutableBytes {
        Glibc.read(0, $0.baseAddress! + filled, count - filled)
      }
      if received < 0 && errno == EINTR { continue }
      guard received > 0 else { return nil }
      filled += received
    }
    return bytes
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    var written = 0
    while written < bytes.count {
      let sent = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
      }
      if sent < 0 && errno == EINTR { continue }
      guard sent > 0 else { return false }
      written += sent
    }
    return true
  }
}
