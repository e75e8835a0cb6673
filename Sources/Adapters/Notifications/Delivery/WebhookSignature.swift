public import Crypto
import Encodings

/// Signs what is sent, as the specification of Standard Webhooks has it: HMAC-SHA256 over
/// `ID.TIMESTAMP.BODY`, so that a receiver knows who has sent it, and when.
public struct WebhookSignature: Sendable {
  private let authenticator: MessageAuthenticator

  public init(_ secret: SecretBytes) { authenticator = MessageAuthenticator(key: secret) }

  /// The headers of a request.
  ///
  /// - Parameter timestamp: of this try, in seconds of Unix time. Receivers refuse what is old.
  public func headers(
    id: String, timestamp: Int64, body: [UInt8]
  ) -> [(name: String, value: String)] {
    let signed = Array("\(id).\(timestamp).".utf8) + body
    return [
      ("webhook-id", id), ("webhook-timestamp", "\(timestamp)"),
      ("webhook-signature", "v1,\(Base64.encode(authenticator.code(for: signed)))"),
    ]
  }
}

/// A secret that a target and omnid share.
enum WebhookSecret {
  static let sizes = 24...64
  private static let prefix = Array("whsec_".utf8)

  /// Reads the file: `whsec_` and base64, as Standard Webhooks writes secrets, or the bytes of one line as they are.
  ///
  /// - Throws: what is wrong, to be said behind the file's name. Nothing of the secret is in it.
  static func read(_ file: [UInt8]) throws(NotificationError) -> SecretBytes {
    var bytes = file
    defer { bytes.wipe() }
    while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
    if bytes.starts(with: prefix) {
      guard let decoded = Base64.decode(Array(bytes.dropFirst(prefix.count))) else {
        throw NotificationError("after whsec_ base64 is expected")
      }
      bytes.wipe()
      bytes = decoded
    }
    guard sizes.contains(bytes.count) else {
      throw NotificationError(
        "a secret has 24 to 64 bytes, and this one has \(bytes.count); make one: "
          + "(printf whsec_; openssl rand -base64 32) > FILE")
    }
    return SecretBytes(copying: bytes)
  }
}

/// Something about notifications that is not as it should be; the message is one line.
public struct NotificationError: Error, Equatable {
  public var message: String

  public init(_ message: String) { self.message = message }
}
