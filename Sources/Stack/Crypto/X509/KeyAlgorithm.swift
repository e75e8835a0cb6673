internal import COpenSSL

/// The kinds of key that are read; all but `other` can be made.
public enum KeyAlgorithm: Sendable, Hashable {
  case ed25519
  case ecdsaP256
  case ecdsaP384
  case ecdsaP521
  case rsa(bits: Int)
  /// A key that can be read and trusted, but not made: its name in OpenSSL.
  case other(String)

  /// The algorithm of an `EVP_PKEY`, which stays the caller's.
  init(key: OpaquePointer) {
    switch unsafe EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_ED25519: self = .ed25519
    case EVP_PKEY_RSA: self = .rsa(bits: Int(unsafe EVP_PKEY_get_bits(key)))
    case EVP_PKEY_EC:
      var name = [CChar](repeating: 0, count: 64)
      var length = 0
      _ = unsafe EVP_PKEY_get_group_name(key, &name, name.count, &length)
      let curve = String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      switch curve {
      case "prime256v1": self = .ecdsaP256
      case "secp384r1": self = .ecdsaP384
      case "secp521r1": self = .ecdsaP521
      default: self = .other(curve)
      }
    default:
      if let name = unsafe EVP_PKEY_get0_type_name(key) {
        self = .other(unsafe String(cString: name))
      } else {
        self = .other("unknown")
      }
    }
  }
}
