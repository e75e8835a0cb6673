internal import COpenSSL

/// A private key that its raw 32 bytes name (RFC 7748, RFC 8032), and its public half.
struct RawPrivateKey: Sendable {
  enum Kind: Sendable {
    /// Signs.
    case ed25519
    /// Agrees on secrets.
    case x25519

    var identifier: Int32 {
      switch self {
      case .ed25519: EVP_PKEY_ED25519
      case .x25519: EVP_PKEY_X25519
      }
    }
  }

  /// Bytes of either half.
  static let size = 32

  /// Owns the `EVP_PKEY`, which is not changed after its making.
  let handle: SharedHandle
  let publicKey: [UInt8]

  /// - Throws: `.malformed` for a key of another size.
  init(_ kind: Kind, _ bytes: SecretBytes) throws(CryptoError) {
    OpenSSL.begin()
    let made = unsafe bytes.withPointer { start in
      unsafe EVP_PKEY_new_raw_private_key(kind.identifier, nil, start, bytes.count)
    }
    guard let key = unsafe made else {
      throw CryptoError(.malformed, "not a private key: \(OpenSSL.drainErrors())")
    }
    let owned = try unsafe SharedHandle(owning: key) { unsafe EVP_PKEY_free($0) }
    var publicKey = [UInt8](repeating: 0, count: Self.size)
    var count = publicKey.count
    guard unsafe EVP_PKEY_get_raw_public_key(owned.pointer, &publicKey, &count) == 1,
      count == Self.size
    else { throw CryptoError(.internalFailure, OpenSSL.drainErrors()) }
    handle = owned
    self.publicKey = publicKey
  }
}
