internal import Glibc

/// A failed system call: what was tried, and errno.
public struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
  public var operation: String
  public var errno: Int32

  public init(_ operation: String, errno: Int32) {
    self.operation = operation
    self.errno = errno
  }

  /// Takes the calling thread's errno.
  static func last(_ operation: String) -> SystemError {
    SystemError(operation, errno: Glibc.errno)
  }

  public var description: String { "\(operation): \(unsafe String(cString: strerror(errno)))" }
}
