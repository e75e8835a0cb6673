internal import Glibc

/// An open file descriptor that closes itself.
public struct FileDescriptor: ~Copyable, Sendable {
  public let number: Int32

  /// Takes ownership.
  public init(owning number: Int32) { self.number = number }

  /// Gives ownership to the caller.
  public consuming func release() -> Int32 {
    let number = self.number
    discard self
    return number
  }

  deinit { _ = Glibc.close(number) }
}
