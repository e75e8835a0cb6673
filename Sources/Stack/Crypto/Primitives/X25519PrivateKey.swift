internal import COpenSSL

/// Agrees on a secret with the holder of another key: X25519 (RFC 7748).
struct X25519PrivateKey: Sendable {
  private let key: RawPrivateKey

  /// - Parameter scalar: 32 random bytes.
  /// - Throws: `.malformed` for any other size.
  init(_ scalar: SecretBytes) throws(CryptoError) { key = try RawPrivateKey(.x25519, scalar) }

  /// The raw public key, 32 bytes.
  var publicKey: [UInt8] { key.publicKey }

  /// The secret that this key and the other one have in common, 32 bytes.
  ///
  /// - Parameter peer: the other one's public key, 32 bytes.
  /// - Returns: nil where the other key is a point of low order, with which everybody would have the same secret.
  func sharedSecret(with peer: [UInt8]) throws(CryptoError) -> SecretBytes? {
    OpenSSL.begin()
    let point = try unsafe Handle(
      owning: EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nil, peer, peer.count)
    ) { unsafe EVP_PKEY_free($0) }
    let context = try unsafe Handle(owning: EVP_PKEY_CTX_new(key.handle.pointer, nil)) {
      unsafe EVP_PKEY_CTX_free($0)
    }
    let isReady =
      unsafe EVP_PKEY_derive_init(context.pointer) == 1
      && EVP_PKEY_derive_set_peer(context.pointer, point.pointer) == 1
    guard isReady else { throw CryptoError(.internalFailure, OpenSSL.drainErrors()) }
    var secret = [UInt8](repeating: 0, count: RawPrivateKey.size)
    defer { secret.wipe() }
    var count = secret.count
    // OpenSSL refuses a secret of zeros (RFC 7748 section 6.1); looked at again, because all depends on it.
    guard unsafe EVP_PKEY_derive(context.pointer, &secret, &count) == 1,
      count == secret.count, secret.reduce(0, |) != 0
    else {
      ERR_clear_error()
      return nil
    }
    return SecretBytes(copying: secret)
  }
}
