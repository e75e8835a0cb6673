/// What went wrong with a certificate, a key, a chain or a sealed secret.
///
/// The message says what is wrong in words. It never holds key material.
public struct CryptoError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of failure, for code that decides; the message is for people.
  public enum Code: Sendable, Hashable {
    /// The input is not what it should be: no PEM block, bad base64, bad DER.
    case malformed
    /// A well-formed input of a kind that is not supported, such as an encrypted key.
    case unsupported
    /// Key and certificate, or key and encrypted file, do not belong together.
    case keyMismatch
    /// A chain does not lead to a trusted root, or is not valid for the time or the use.
    case verificationFailed
    /// An authority that is to issue a certificate is no longer valid.
    case expired
    /// A sealed secret was changed, or sealed under another key or for another context.
    case sealBroken
    /// A key file cannot be used: wrong size, mode or kind, or not readable.
    case fileRefused
    /// The input is larger than what is accepted.
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
