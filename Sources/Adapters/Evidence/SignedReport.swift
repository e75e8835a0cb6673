public import Crypto
import Encodings

/// A report with a signature behind it that anybody can check, without a server and without a network.
///
/// The document is a text, and behind it:
///
///     -----BEGIN OMNID SIGNATURE-----
///     key: BASE64
///     signature: BASE64
///     -----END OMNID SIGNATURE-----
///
/// The signature is Ed25519 (RFC 8032) over every byte before the first line of the block; the key is the raw public key.
public struct SignedReport: Sendable, Hashable {
  /// What was signed.
  public let text: String
  public let publicKey: [UInt8]
  public let signature: [UInt8]

  private static let begin = "-----BEGIN OMNID SIGNATURE-----"
  private static let end = "-----END OMNID SIGNATURE-----"

  /// The longest document that is read, in bytes: some 1,000 machines take 3 MiB.
  public static let limit = 64 << 20

  /// Why a document is no report, or is not what was signed; reads on after "the report".
  public struct Invalid: Error, Equatable {
    public var reason: String
  }

  /// Signs a text. A line break is added where it ends without one.
  ///
  /// - Throws: `.malformed` for a text that holds a signature's first line itself.
  public init(signing text: String, with key: SigningKey) throws(CryptoError) {
    let text = text.hasSuffix("\n") ? text : text + "\n"
    guard !text.split(separator: "\n").contains(where: { $0 == Self.begin }) else {
      throw CryptoError(.malformed, "the text holds the first line of a signature")
    }
    self.text = text
    publicKey = key.publicKey
    signature = try key.signature(of: Array(text.utf8))
  }

  /// The text with its signature.
  public var document: String {
    text
      + """
      \(Self.begin)
      key: \(Base64.encode(publicKey))
      signature: \(Base64.encode(signature))
      \(Self.end)

      """
  }

  /// Reads a document and checks its signature by the key that stands in it. Whose key that is, its fingerprint says.
  public init(verifying document: String) throws(Invalid) {
    let lines = document.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0 == Self.begin }) else {
      throw Invalid(
        reason: document.contains("\r\n")
          ? "has other line breaks than it was signed with: get it again, as it is"
          : "has no signature")
    }
    let block = lines[(start + 1)...].prefix { $0 != Self.end }
    func value(_ name: String) -> [UInt8]? {
      block.first { $0.hasPrefix("\(name): ") }
        .flatMap { Base64.decode(String($0.dropFirst(name.utf8.count + 2))) }
    }
    guard block.count == 2, let key = value("key"), let signature = value("signature") else {
      throw Invalid(reason: "has a signature that cannot be read")
    }
    guard block.endIndex < lines.endIndex,
      lines[(block.endIndex + 1)...].allSatisfy(\.isEmpty)
    else {
      throw Invalid(reason: "goes on behind its signature, or the signature has no end")
    }
    text = lines[..<start].map { $0 + "\n" }.joined()
    publicKey = key
    self.signature = signature
    guard SigningKey.accepts(signature, of: Array(text.utf8), by: key) else {
      throw Invalid(reason: "was changed: its signature is that of another text")
    }
  }

  /// SHA-256 of the raw public key, in lower-case hexadecimal.
  public var keyFingerprint: String { Self.fingerprint(of: publicKey) }

  public static func fingerprint(of publicKey: [UInt8]) -> String {
    Hexadecimal.encode(SHA256.digest(publicKey))
  }
}
