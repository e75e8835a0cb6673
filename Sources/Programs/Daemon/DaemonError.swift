internal import Glibc

/// What the system refused; the message is for people.
public struct DaemonError: Error, Sendable, Hashable, CustomStringConvertible {
  public var message: String

  public init(_ message: String) { self.message = message }

  init(errno number: Int32, _ what: String) {
    message = "\(what): \(unsafe String(cString: strerror(number)))"
  }

  public var description: String { message }
}
