internal import Glibc

/// Where a program writes for whoever started it. A log is written to `LogStream` instead.
public enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Writes the text with one system call where that is possible, so that lines of several threads do
  /// not mix. Waits for a reader that is slow.
  ///
  /// - Returns: false when not all of it could be written: the disk is full, nobody reads.
  @discardableResult
  public func write(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while rest.count > 0 {
        let written = unsafe Glibc.write(rawValue, rest.baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return false }
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
      }
      return true
    }
  }
}
