internal import COpenSSL

/// Signs messages: Ed25519 (RFC 8032).
public struct SigningKey: Sendable {
  /// Bytes of a public key.
  public static let publicKeySize = 32
  /// Bytes of a signature.
  public static let signatureSize = 64

  private let key: RawPrivateKey
  /// The raw public key, 32 bytes.
  public var publicKey: [UInt8] { key.publicKey }

  /// - Parameter seed: the private key, 32 bytes; used for nothing else.
  /// - Throws: `.malformed` for any other size.
  public init(seed: SecretBytes) throws(CryptoError) {
    key = try RawPrivateKey(.ed25519, seed)
  }

  /// The 64 bytes of the message's signature.
  public func signature(of message: [UInt8]) throws(CryptoError) -> [UInt8] {
    let context = try unsafe Handle(owning: EVP_MD_CTX_new()) { unsafe EVP_MD_CTX_free($0) }
    var signature = [UInt8](repeating: 0, count: Self.signatureSize)
    var count = signature.count
    let isSigned =
      unsafe EVP_DigestSignInit(context.pointer, nil, nil, nil, key.handle.pointer) == 1
      && EVP_DigestSign(context.pointer, &signature, &count, message, message.count) == 1
    guard isSigned, count == Self.signatureSize else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
    return signature
  }

  /// Whether the signature is the message's, by the holder of the public key's private half. False for what is no key
  /// or no signature.
  public static func accepts(
    _ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]
  ) -> Bool {
    guard publicKey.count == publicKeySize, signature.count == signatureSize else { return false }
    OpenSSL.begin()
    defer { ERR_clear_error() }
    guard
      let made = unsafe EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nil, publicKey, publicKey.count),
      let key = try? unsafe Handle(owning: made, { unsafe EVP_PKEY_free($0) }),
      let context = try? unsafe Handle(
        owning: EVP_MD_CTX_new(), { unsafe EVP_MD_CTX_free($0) })
    else { return false }
    return unsafe EVP_DigestVerifyInit(context.pointer, nil, nil, nil, key.pointer) == 1
      && EVP_DigestVerify(
        context.pointer, signature, signature.count, message, message.count) == 1
  }
}
