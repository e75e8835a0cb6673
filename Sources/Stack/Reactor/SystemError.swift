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

  /// What a failed call tells of the peer.
  public enum Kind: Sendable, Hashable {
    /// Nobody listens.
    case refused
    /// The peer acknowledges nothing.
    case timedOut
    /// The peer has let go of the connection.
    case reset
    case other
  }

  public var kind: Kind {
    switch errno {
    case ECONNREFUSED: .refused
    case ETIMEDOUT: .timedOut
    case ECONNRESET, EPIPE: .reset
    default: .other
    }
  }

  public var description: String { "\(operation): \(unsafe String(cString: strerror(errno)))" }
}
