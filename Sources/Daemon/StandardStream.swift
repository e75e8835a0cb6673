internal import Glibc

/// Where a program writes for whoever started it.
public enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Writes the text with one system call where that is possible, so that lines of several threads do
  /// not mix. What cannot be written is lost: it holds nothing up.
  public func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while rest.count > 0 {
        let written = unsafe Glibc.write(rawValue, rest.baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return }
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
      }
    }
  }
}
