/// A public key that files are encrypted to, so that the holder of the `AgeIdentity` alone opens them: an X25519 recipient
/// of age (https://c2sp.org/age, "The X25519 recipient type"), written `age1…`.
public struct AgeRecipient: Sendable, Hashable, CustomStringConvertible {
  /// The most that one file is encrypted to.
  public static let limit = 16
  /// The most characters that are looked at; a recipient has 62.
  private static let longest = 8192

  /// A point of Curve25519.
  let publicKey: [UInt8]

  init(publicKey: [UInt8]) { self.publicKey = publicKey }

  /// Reads what `age-keygen` prints as public key.
  ///
  /// - Throws: `.malformed` for what is no recipient, `.unsupported` for one of another type. The message holds no text that
  ///   could be a secret key.
  public init(_ text: String) throws(CryptoError) {
    guard !text.uppercased().hasPrefix(AgeIdentity.beginning) else {
      throw CryptoError(
        .malformed, "it is a secret key; 'age-keygen -y' prints the recipient that belongs to it")
    }
    guard text.hasPrefix("age1"), text.utf8.count <= Self.longest else {
      throw CryptoError(
        .malformed,
        "a recipient is written age1..., as age-keygen prints it; SSH keys and passphrases are none"
      )
    }
    let shown = Self.shown(text)
    let name: String
    let bytes: [UInt8]
    do throws(Bech32.Failure) { (name, bytes) = try Bech32.decode(Array(text.utf8)) } catch {
      throw CryptoError(.malformed, "\(shown) is no recipient: \(error.words)")
    }
    guard name == "age" else {
      throw CryptoError(
        .unsupported,
        "\(shown) is a recipient of another type than X25519, which age-keygen makes unless told otherwise"
      )
    }
    guard bytes.count == RawPrivateKey.size, Self.isReduced(bytes) else {
      throw CryptoError(.malformed, "\(shown) is no recipient: it names no point of Curve25519")
    }
    publicKey = bytes
    // Each scalar tells a point of low order: all of them are multiples of 8.
    guard
      try X25519PrivateKey(SecretBytes(random: RawPrivateKey.size)).sharedSecret(with: bytes) != nil
    else {
      throw CryptoError(
        .malformed, "\(shown) is a point of low order: everybody could open what is encrypted to it"
      )
    }
  }

  /// The recipients in a file as age takes it: one a line, beside empty lines and lines that begin with `#`.
  ///
  /// - Returns: each once, in the file's order; one at least.
  /// - Throws: `.malformed`, `.unsupported`, `.limitExceeded` for more than `limit`; the message names the line.
  public static func list(in file: [UInt8]) throws(CryptoError) -> [AgeRecipient] {
    var recipients: [AgeRecipient] = []
    for (number, line) in AgeKeyLines.of(file) {
      do throws(CryptoError) {
        let recipient = try AgeRecipient(String(decoding: line, as: UTF8.self))
        if !recipients.contains(recipient) { recipients.append(recipient) }
      } catch { throw CryptoError(error.code, "line \(number): \(error.message)") }
      guard recipients.count <= limit else {
        throw CryptoError(.limitExceeded, "line \(number): there are more than \(limit) recipients")
      }
    }
    guard !recipients.isEmpty else { throw CryptoError(.malformed, "there is no recipient in it") }
    return recipients
  }

  public var description: String { Bech32.encode("age", publicKey) }

  /// The stanza by which the holder of the identity finds the file key.
  func stanza(wrapping fileKey: SecretBytes) throws(CryptoError) -> AgeHeader.Stanza {
    let ephemeral = try X25519PrivateKey(SecretBytes(random: RawPrivateKey.size))
    guard let secret = try ephemeral.sharedSecret(with: publicKey) else {
      throw CryptoError(.malformed, "the recipient is a point of low order")
    }
    let key = try Self.wrapKey(secret, share: ephemeral.publicKey, recipient: publicKey)
    let body = try fileKey.withSpan { plaintext throws(CryptoError) in
      try AEAD.chaCha20Poly1305.seal(plaintext, key: key, nonce: Self.wrapNonce)
    }
    return AgeHeader.Stanza(
      type: AgeHeader.Stanza.x25519, arguments: [AgeHeader.base64(ephemeral.publicKey)], body: body)
  }

  /// Each key is used once.
  static let wrapNonce = [UInt8](repeating: 0, count: AEAD.nonceSize)

  static func wrapKey(
    _ secret: SecretBytes, share: [UInt8], recipient: [UInt8]
  ) throws(CryptoError) -> SecretBytes {
    try KeyDerivation.key(
      from: secret, purpose: Array("age-encryption.org/v1/X25519".utf8), salt: share + recipient)
  }

  /// Whether these are the bytes that its holder computes for the point, which are part of the wrap key's salt: with others
  /// for the same point, those of 2^255 - 19 and above and those with the highest bit set, nobody could open the file.
  private static func isReduced(_ bytes: [UInt8]) -> Bool {
    guard bytes[31] <= 0x7f else { return false }
    return bytes[31] < 0x7f || bytes[1..<31].contains { $0 != 0xff } || bytes[0] < 0xed
  }

  /// The text if it is as long as a recipient, else its beginning.
  private static func shown(_ text: String) -> String {
    let isShort = text.utf8.count <= 64
    let plain = text.unicodeScalars.prefix(isShort ? 64 : 24).map {
      (33...126).contains($0.value) ? Character($0) : "?"
    }
    return "'\(String(plain))\(isShort ? "" : "...")'"
  }
}

extension Bech32.Failure {
  /// In words, without any of the text.
  var words: String {
    switch self {
    case .character(let place): "its character \(place) is one that no key has there"
    case .mixedCase: "upper and lower case are mixed"
    case .noSeparator: "it is too short"
    case .checksum: "its checksum does not match, so a character is missing or another one"
    case .padding: "it has bits left over"
    }
  }
}

/// The lines of age's files of keys.
enum AgeKeyLines {
  /// Those that hold a key, each with its number, counted from 1. They share the file's memory.
  static func of(_ file: [UInt8]) -> [(number: Int, text: ArraySlice<UInt8>)] {
    file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
      .compactMap { index, line in
        let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
        return text.isEmpty || text.first == UInt8(ascii: "#") ? nil : (index + 1, text)
      }
  }
}
