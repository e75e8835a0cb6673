internal import COpenSSL

/// Encrypts and authenticates (RFC 5116). Keys have 32 bytes.
enum AEAD: Sendable {
  /// AES-256 in Galois/Counter Mode (NIST SP 800-38D).
  case aes256GCM
  /// RFC 8439.
  case chaCha20Poly1305

  static let nonceSize = 12
  static let tagSize = 16

  /// The ciphertext, and the tag behind it.
  ///
  /// - Parameters:
  ///   - nonce: 12 bytes, used once with the key.
  ///   - associated: what is authenticated beside the plaintext, the parts one behind the other.
  func seal(
    _ plaintext: Span<UInt8>, key: SecretBytes, nonce: [UInt8], associated: [[UInt8]] = []
  ) throws(CryptoError) -> [UInt8] {
    let cipher = try begin(key, nonce, isSealing: true, associated)
    var length: Int32 = 0
    var sealed = [UInt8](repeating: 0, count: plaintext.count + Self.tagSize)
    if plaintext.count > 0 {
      try check(
        unsafe plaintext.withUnsafeBufferPointer {
          unsafe EVP_EncryptUpdate(
            cipher.pointer, &sealed, &length, $0.baseAddress, Int32($0.count))
        })
    }
    var none = [UInt8](repeating: 0, count: Self.tagSize)
    try check(unsafe EVP_EncryptFinal_ex(cipher.pointer, &none, &length))
    var tag = [UInt8](repeating: 0, count: Self.tagSize)
    try check(
      unsafe EVP_CIPHER_CTX_ctrl(
        cipher.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagSize), &tag))
    sealed.replaceSubrange(plaintext.count..., with: tag)
    return sealed
  }

  /// Opens what `seal` made with the same key, nonce and associated bytes.
  ///
  /// - Returns: the plaintext, the caller's to wipe; nil where anything is another.
  func open(
    _ sealed: [UInt8], key: SecretBytes, nonce: [UInt8], associated: [[UInt8]] = []
  ) throws(CryptoError) -> [UInt8]? {
    guard sealed.count >= Self.tagSize else { return nil }
    let cipher = try begin(key, nonce, isSealing: false, associated)
    var length: Int32 = 0
    var plaintext = [UInt8](repeating: 0, count: sealed.count - Self.tagSize)
    var isAuthentic = false
    // What is not authentic does not stay behind in the heap either.
    defer { if !isAuthentic { plaintext.wipe() } }
    if !plaintext.isEmpty {
      try check(
        unsafe EVP_DecryptUpdate(
          cipher.pointer, &plaintext, &length, sealed, Int32(plaintext.count)))
    }
    var tag = Array(sealed.suffix(Self.tagSize))
    try check(
      unsafe EVP_CIPHER_CTX_ctrl(
        cipher.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagSize), &tag))
    var none = [UInt8](repeating: 0, count: Self.tagSize)
    isAuthentic = unsafe EVP_DecryptFinal_ex(cipher.pointer, &none, &length) == 1
    guard isAuthentic else {
      ERR_clear_error()
      return nil
    }
    return plaintext
  }

  private func begin(
    _ key: SecretBytes, _ nonce: [UInt8], isSealing: Bool, _ associated: [[UInt8]]
  ) throws(CryptoError) -> Handle {
    precondition(key.count == 32 && nonce.count == Self.nonceSize)
    OpenSSL.begin()
    let algorithm =
      switch self {
      case .aes256GCM: unsafe EVP_aes_256_gcm()
      case .chaCha20Poly1305: unsafe EVP_chacha20_poly1305()
      }
    let cipher = try unsafe Handle(owning: EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free)
    try check(
      unsafe key.withPointer {
        unsafe EVP_CipherInit_ex(cipher.pointer, algorithm, nil, $0, nonce, isSealing ? 1 : 0)
      })
    var length: Int32 = 0
    for part in associated {
      try check(unsafe EVP_CipherUpdate(cipher.pointer, nil, &length, part, Int32(part.count)))
    }
    return cipher
  }

  private func check(_ result: Int32) throws(CryptoError) {
    guard result == 1 else { throw CryptoError(.internalFailure, OpenSSL.drainErrors()) }
  }
}
