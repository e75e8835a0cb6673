/// The private key that opens files encrypted to an `AgeRecipient`, written `AGE-SECRET-KEY-1…`.
public struct AgeIdentity: Sendable {
  /// The most that a file of identities may hold.
  public static let limit = 64
  static let beginning = "AGE-SECRET-KEY-"

  private let key: X25519PrivateKey

  /// - Parameter line: without the line's end; the caller's to wipe.
  /// - Throws: `.malformed`, `.unsupported`; the message holds nothing of the line.
  init(_ line: [UInt8]) throws(CryptoError) {
    func begins(_ text: String) -> Bool { line.starts(with: text.utf8) }
    guard begins(Self.beginning + "1") else {
      if begins(AgeFile.version) || begins(AgeFile.armor) {
        throw CryptoError(
          .unsupported, "the identity is itself encrypted with age; 'age -d' opens it")
      }
      if begins("-----BEGIN ") || begins("AGE-PLUGIN-") || begins(Self.beginning) {
        throw CryptoError(
          .unsupported,
          "the identity is of another type than X25519, so that age itself has to open the file: age -d"
        )
      }
      throw CryptoError(
        .malformed, "an identity is written AGE-SECRET-KEY-1..., as age-keygen writes it")
    }
    let name: String
    var bytes: [UInt8]
    do throws(Bech32.Failure) { (name, bytes) = try Bech32.decode(line) } catch {
      throw CryptoError(.malformed, "it is no identity: \(error.words)")
    }
    defer { bytes.wipe() }
    guard name == Self.beginning, bytes.count == RawPrivateKey.size else {
      throw CryptoError(.malformed, "it is no identity: it does not name 32 bytes")
    }
    key = try X25519PrivateKey(SecretBytes(copying: bytes))
  }

  /// The identities in a file as `age-keygen` writes it: one a line, beside empty lines and lines that begin with `#`.
  ///
  /// - Parameter file: the caller's to wipe.
  /// - Returns: one at least.
  /// - Throws: `.malformed`, `.unsupported`, `.limitExceeded` for more than `limit`; the message names the line and holds
  ///   nothing of it.
  public static func list(in file: [UInt8]) throws(CryptoError) -> [AgeIdentity] {
    var identities: [AgeIdentity] = []
    for (number, text) in AgeKeyLines.of(file) {
      guard identities.count < limit else {
        throw CryptoError(.limitExceeded, "line \(number): there are more than \(limit) identities")
      }
      var line = Array(text)
      defer { line.wipe() }
      do throws(CryptoError) { identities.append(try AgeIdentity(line)) } catch {
        throw CryptoError(error.code, "line \(number): \(error.message)")
      }
    }
    guard !identities.isEmpty else { throw CryptoError(.malformed, "there is no identity in it") }
    return identities
  }

  /// What files are encrypted to for this identity to open them.
  public var recipient: AgeRecipient { AgeRecipient(publicKey: key.publicKey) }

  /// The file key that a stanza wraps.
  ///
  /// - Returns: nil where the stanza is for another identity.
  /// - Throws: `.malformed` for an X25519 stanza that is not as it has to be.
  func fileKey(in stanza: AgeHeader.Stanza) throws(CryptoError) -> SecretBytes? {
    guard stanza.type == AgeHeader.Stanza.x25519 else { return nil }
    // The size first: a body of another size could hold a key that opens for several identities.
    guard stanza.arguments.count == 1,
      let share = AgeHeader.bytes(ofBase64: stanza.arguments[0].utf8),
      share.count == RawPrivateKey.size, stanza.body.count == AgeFile.keySize + AEAD.tagSize,
      let secret = try key.sharedSecret(with: share)
    else { throw CryptoError(.malformed, "the header of the age file is damaged") }
    let wrapKey = try AgeRecipient.wrapKey(secret, share: share, recipient: key.publicKey)
    guard
      var fileKey = try AEAD.chaCha20Poly1305.open(
        stanza.body, key: wrapKey, nonce: AgeRecipient.wrapNonce)
    else { return nil }
    return SecretBytes(taking: &fileKey)
  }
}

extension AgeIdentity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "identity of \(recipient)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
