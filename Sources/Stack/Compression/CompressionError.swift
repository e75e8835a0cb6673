/// Why bytes could not be compressed, decompressed or taken out of an archive.
public struct CompressionError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The input is not of the expected format, or was changed.
    case malformed
    /// The input ends too early.
    case truncated
    /// The output would be larger than allowed.
    case limitExceeded
    /// The library refused a call that should have worked.
    case internalFailure
  }

  public var code: Code
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}
