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

  /// Reads to the end.
  ///
  /// - Parameter limit: the most bytes.
  public static func read(_ descriptor: Int32, limit: Int) throws(ReadFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = unsafe block.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
      }
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw .errorNumber(errno)
      }
      bytes += block[..<count]
      if bytes.count > limit { throw .tooLong }
    }
  }

  /// What the system calls an error: `No such file or directory`.
  public static func message(_ errorNumber: Int32) -> String {
    unsafe String(cString: strerror(errorNumber))
  }
}
