internal import COpenSSL

/// Makes an `X509_STORE` of trust roots.
enum TrustStore {
  /// A chain may have this many certificates between leaf and root.
  static let maximumDepth: Int32 = 8

  /// A new store; the caller's handle owns it.
  ///
  /// Every root ends a chain, self-signed or not (as in Go's certificate pools): a root
  /// cross-signed by its predecessor may be trusted alone.
  static func make(_ roots: [Certificate]) throws(CryptoError) -> Handle {
    let store = try unsafe Handle(owning: X509_STORE_new(), X509_STORE_free)
    for root in roots {
      let parsed = root.handle
      // The store takes its own reference.
      guard unsafe X509_STORE_add_cert(store.pointer, parsed.pointer) == 1 else {
        throw CryptoError(.internalFailure, OpenSSL.drainErrors())
      }
    }
    _ = unsafe X509_STORE_set_flags(store.pointer, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    _ = unsafe X509_STORE_set_depth(store.pointer, maximumDepth)
    unsafe X509_STORE_set_check_issued(store.pointer) { _, subject, issuer in
      guard unsafe X509_check_issued(issuer, subject) == X509_V_OK else { return 0 }
      // Old and new authority have the same subject. The authority key identifier tells them apart;
      // where a certificate has none, only the signature does, and OpenSSL would stop at the first
      // name that fits.
      if unsafe X509_get0_authority_key_id(subject) != nil { return 1 }
      // That a candidate does not fit is no error of the handshake.
      ERR_set_mark()
      defer { ERR_pop_to_mark() }
      return unsafe X509_verify(subject, X509_get0_pubkey(issuer)) == 1 ? 1 : 0
    }
    return store
  }
}
