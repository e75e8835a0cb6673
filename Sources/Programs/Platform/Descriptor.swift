internal import Glibc

/// Reading and writing whole contents. A call that a signal interrupts is made again.
public enum Descriptor {
  /// Writes everything, waiting for a reader that is slow.
  ///
  /// - Returns: nil, or the error number with which it failed.
  public static func write(_ text: String, to descriptor: Int32) -> Int32? {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while rest.count > 0 {
        let written = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
        if written < 0 {
          if errno == EINTR { continue }
          guard errno == EAGAIN, isWritable(descriptor) else { return errno }
          continue
        }
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
      }
      return nil
    }
  }

  /// Waits for a descriptor that somebody else has made non-blocking.
  private static func isWritable(_ descriptor: Int32) -> Bool {
    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return unsafe poll(&waiting, 1, -1) >= 0 || errno == EINTR
  }

  public enum ReadFailure: Error, Equatable {
    case errorNumber(Int32)
    /// There was more than the limit allows.
    case tooLong
  }

  /// Reads to the end. What is read may be a secret: no other copy of the bytes is left in memory.
  ///
  /// - Parameter limit: the most bytes.
  public static func read(_ descriptor: Int32, limit: Int) throws(ReadFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16 << 10)
    defer { wipe(&block) }
    while true {
      let count = unsafe block.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw .errorNumber(errno)
      }
      if bytes.count + count > bytes.capacity {
        // An array that grows by itself would leave what it held behind.
        var grown: [UInt8] = []
        grown.reserveCapacity(max(2 * bytes.capacity, bytes.count + count))
        grown += bytes
        wipe(&bytes)
        bytes = grown
      }
      bytes += block[..<count]
      if bytes.count > limit {
        wipe(&bytes)
        throw .tooLong
      }
    }
  }

  private static func wipe(_ bytes: inout [UInt8]) {
    unsafe bytes.withUnsafeMutableBytes { all in
      if let start = all.baseAddress { unsafe explicit_bzero(start, all.count) }
    }
  }

  /// What the system calls an error: `No such file or directory`.
  public static func message(_ errorNumber: Int32) -> String {
    unsafe String(cString: strerror(errorNumber))
  }
}
