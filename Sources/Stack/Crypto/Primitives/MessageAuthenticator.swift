internal import COpenSSL

/// Vouches for messages: HMAC-SHA256 (RFC 2104, FIPS 198-1) under a key that is for one purpose.
public struct MessageAuthenticator: Sendable {
  /// Bytes of a code.
  public static let codeSize = 32

  private let key: SecretBytes

  /// - Parameter key: used for nothing else; see `KeyDerivation`.
  public init(key: SecretBytes) { self.key = key }

  /// The 32 bytes that only a holder of the key can make for the message.
  public func code(for message: [UInt8]) -> [UInt8] {
    OpenSSL.begin()
    return unsafe [UInt8](unsafeUninitializedCapacity: Self.codeSize) { buffer, initialized in
      let made = unsafe key.withPointer { key in
        unsafe HMAC(
          EVP_sha256(), key, Int32(self.key.count), message, message.count, buffer.baseAddress,
          nil)
      }
      precondition(unsafe made != nil, "HMAC-SHA256 failed")
      initialized = Self.codeSize
    }
  }

  /// Whether `code` is the message's; takes as long when it is not.
  public func accepts(_ code: [UInt8], for message: [UInt8]) -> Bool {
    let own = self.code(for: message)
    return unsafe code.count == own.count && CRYPTO_memcmp(code, own, own.count) == 0
  }
}

/// Makes keys for single purposes out of one key: HKDF with SHA-256 (RFC 5869).
public enum KeyDerivation {
  /// - Parameters:
  ///   - purpose: what the key is for; another purpose gives an unrelated key (HKDF's `info`).
  ///   - salt: may be empty.
  ///   - count: bytes wanted, at most 8160.
  public static func key(
    from secret: SecretBytes, purpose: [UInt8], salt: [UInt8] = [], count: Int = 32
  ) throws(CryptoError) -> SecretBytes {
    OpenSSL.begin()
    let context = try unsafe Handle(owning: EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil)) {
      unsafe EVP_PKEY_CTX_free($0)
    }
    var key = [UInt8](repeating: 0, count: count)
    defer { key.wipe() }
    var length = count
    let isDerived = unsafe secret.withPointer { input in
      unsafe EVP_PKEY_derive_init(context.pointer) == 1
        && EVP_PKEY_CTX_set_hkdf_md(context.pointer, EVP_sha256()) == 1
        && EVP_PKEY_CTX_set1_hkdf_salt(context.pointer, salt, Int32(salt.count)) == 1
        && EVP_PKEY_CTX_set1_hkdf_key(context.pointer, input, Int32(secret.count)) == 1
        && EVP_PKEY_CTX_add1_hkdf_info(context.pointer, purpose, Int32(purpose.count)) == 1
        && EVP_PKEY_derive(context.pointer, &key, &length) == 1
    }
    guard isDerived, length == count else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
    return SecretBytes(copying: key)
  }
}
