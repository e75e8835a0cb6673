internal import COpenSSL

/// Signs messages: Ed25519 (RFC 8032).
public struct SigningKey: Sendable {
  /// Bytes of a public key.
  public static let publicKeySize = 32
  /// Bytes of a signature.
  public static let signatureSize = 64

  /// Owns the `EVP_PKEY`, which is not changed after its making.
  private let handle: SharedHandle
  /// The raw public key, 32 bytes.
  public let publicKey: [UInt8]

  /// - Parameter seed: the private key, 32 bytes; used for nothing else.
  /// - Throws: `.malformed` for any other size.
  public init(seed: SecretBytes) throws(CryptoError) {
    OpenSSL.begin()
    let made = unsafe seed.withPointer { bytes in
      unsafe EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, nil, bytes, seed.count)
    }
    guard let key = unsafe made else {
      throw CryptoError(.malformed, "not an Ed25519 key: \(OpenSSL.drainErrors())")
    }
    let owned = try unsafe SharedHandle(owning: key) { unsafe EVP_PKEY_free($0) }
    var bytes = [UInt8](repeating: 0, count: Self.publicKeySize)
    var count = bytes.count
    guard unsafe EVP_PKEY_get_raw_public_key(owned.pointer, &bytes, &count) == 1,
      count == Self.publicKeySize
    else { throw CryptoError(.internalFailure, OpenSSL.drainErrors()) }
    handle = owned
    publicKey = bytes
  }

  /// The 64 bytes of the message's signature.
  public func signature(of message: [UInt8]) throws(CryptoError) -> [UInt8] {
    let context = try unsafe Handle(owning: EVP_MD_CTX_new()) { unsafe EVP_MD_CTX_free($0) }
    var signature = [UInt8](repeating: 0, count: Self.signatureSize)
    var count = signature.count
    let isSigned =
      unsafe EVP_DigestSignInit(context.pointer, nil, nil, nil, handle.pointer) == 1
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
