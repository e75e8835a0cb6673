internal import COpenSSL

/// Checks that a certificate leads to a trusted root.
public enum ChainVerification {
  /// What the certificate must be good for.
  public enum Purpose: Sendable, Hashable {
    case client
    case server
    case any
  }

  /// Checks signatures, validity, uses and constraints from `leaf` up to one of `roots`, as a TLS
  /// peer would. The roots may share a subject; they need not be self-signed.
  ///
  /// - Parameter time: Unix seconds at which the certificates must be valid; nil leaves their
  ///   validity
  ///   unchecked.
  /// - Throws: `.verificationFailed` with the reason in words.
  public static func verify(
    _ leaf: Certificate, intermediates: [Certificate] = [], roots: [Certificate],
    purpose: Purpose, at time: Int64?
  ) throws(CryptoError) {
    let store = try TrustStore.make(roots)
    let certificate = leaf.handle
    let others = try CertificateStack(intermediates)
    let context = try unsafe Handle(owning: X509_STORE_CTX_new(), X509_STORE_CTX_free)
    // The context refers to store, certificate and stack, all of which outlive the verification.
    guard
      unsafe X509_STORE_CTX_init(
        context.pointer, store.pointer, certificate.pointer, others.handle.pointer) == 1
    else { throw CryptoError(.internalFailure, OpenSSL.drainErrors()) }
    switch purpose {
    case .client: _ = unsafe X509_STORE_CTX_set_default(context.pointer, "ssl_client")
    case .server: _ = unsafe X509_STORE_CTX_set_default(context.pointer, "ssl_server")
    case .any: break
    }
    let parameters = unsafe X509_STORE_CTX_get0_param(context.pointer)
    unsafe X509_VERIFY_PARAM_set_auth_level(parameters, 2)
    if let time {
      unsafe X509_VERIFY_PARAM_set_time(parameters, Int(time))
    } else {
      _ = unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_NO_CHECK_TIME))
    }
    let result = unsafe X509_verify_cert(context.pointer)
    let cause = unsafe X509_STORE_CTX_get_error(context.pointer)
    OpenSSL.begin()
    guard result == 1 else {
      let words = VerificationFailure(cause).words()
      throw CryptoError(
        .verificationFailed,
        "certificate verify failed: \(words) (subject \(leaf.subject), issuer \(leaf.issuer))")
    }
  }
}

/// A `STACK_OF(X509)` with its certificates; owned here.
private struct CertificateStack: ~Copyable {
  let handle: Handle

  init(_ certificates: [Certificate]) throws(CryptoError) {
    let handle = try unsafe Handle(
      owning: copenssl_certificates_new(), copenssl_certificates_free)
    for certificate in certificates {
      let parsed = certificate.handle
      // The stack's reference is one of its own.
      _ = unsafe X509_up_ref(parsed.pointer)
      _ = unsafe copenssl_certificates_push(handle.pointer, parsed.pointer)
    }
    self.handle = handle
  }
}
