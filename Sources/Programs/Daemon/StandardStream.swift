internal import Platform

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
    Descriptor.write(text, to: rawValue) == nil
  }
}
