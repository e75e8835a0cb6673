/// Why a backup cannot be made or read; the message says what to do.
public struct BackupError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The bytes are no backup, or one of a newer omnid.
    case unknown
    /// The other kind of key is needed.
    case otherLock
    /// The key is wrong, or somebody has changed the bytes.
    case notAuthentic
    /// The bytes end before the backup does.
    case truncated
    /// The library refused a call.
    case failed
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
