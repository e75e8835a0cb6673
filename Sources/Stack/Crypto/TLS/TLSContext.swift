internal import COpenSSL

/// A checked configuration, ready for connections. It does not change: a new trust is a new
/// context.
public final class TLSContext: Sendable {
  public let configuration: TLSConfiguration
  /// Owns the `SSL_CTX`; each `SSL` made of it holds a reference of its own.
  let handle: SharedHandle
  /// The protocols that a server picks from. The callback below reads it through a pointer that is
  /// not retained: engines hold their context, so it lives as long as any connection.
  private let protocols: ProtocolList

  /// A chain of certificates in a handshake may be this large, in bytes.
  static let maximumCertificateListSize = 64 << 10

  /// - Throws: when the identity cannot be used, a server has none, or a protocol name is not 1 to
  ///   255 bytes.
  public init(_ configuration: TLSConfiguration) throws(CryptoError) {
    OpenSSL.begin()
    self.configuration = configuration
    protocols = try ProtocolList(configuration.alpn)
    let isServer = configuration.role == .server
    if isServer, configuration.identity == nil {
      throw CryptoError(.malformed, "a TLS server needs an identity")
    }
    let method = unsafe isServer ? TLS_server_method() : TLS_client_method()
    handle = try unsafe SharedHandle(owning: SSL_CTX_new(method)) { unsafe SSL_CTX_free($0) }
    try applyProtocolRules()
    try applyIdentity()
    try applyTrust()
    try applyProtocols()
    ERR_clear_error()
  }

  /// Versions, suites and options.
  ///
  /// Sessions are not resumed: a resumed session would go on with a trust that has been taken back.
  private func applyProtocolRules() throws(CryptoError) {
    let context = unsafe handle.pointer
    unsafe SSL_CTX_set_security_level(context, 2)
    unsafe copenssl_ctx_set_strict_options(context)
    // The write buffer may move between calls; buffers of idle connections are given back; the
    // chain presented is the identity's, not one pieced together from the trust roots.
    _ = unsafe copenssl_ctx_set_mode(
      context,
      Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER) | Int(SSL_MODE_RELEASE_BUFFERS)
        | Int(SSL_MODE_NO_AUTO_CHAIN))
    _ = unsafe copenssl_ctx_disable_session_cache(context)
    _ = unsafe copenssl_ctx_set_max_cert_list(context, Self.maximumCertificateListSize)
    try check(unsafe SSL_CTX_set_num_tickets(context, 0))
    try check(
      Int32(unsafe copenssl_ctx_set_min_version(context, number(configuration.minimumVersion))))
    try check(
      Int32(unsafe copenssl_ctx_set_max_version(context, number(configuration.maximumVersion))))
    // Forward secrecy and authenticated encryption alone, as HTTP/2 wants (RFC 9113 section 9.2.2).
    try check(unsafe SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20"))
    try check(Int32(unsafe copenssl_ctx_set_groups(context, "X25519:P-256:P-384:P-521")))
  }

  private func applyIdentity() throws(CryptoError) {
    guard let identity = configuration.identity else { return }
    let context = unsafe handle.pointer
    // The context takes its own references to certificates and key.
    let leaf = identity.certificate.handle
    try check(unsafe SSL_CTX_use_certificate(context, leaf.pointer), "certificate not usable")
    try check(unsafe SSL_CTX_use_PrivateKey(context, identity.key.handle.pointer), "key not usable")
    try check(unsafe SSL_CTX_check_private_key(context))
    for certificate in identity.certificates.dropFirst() {
      let parsed = certificate.handle
      try check(
        Int32(unsafe copenssl_ctx_add_chain_certificate(context, parsed.pointer)),
        "chain certificate not usable")
    }
  }

  private func applyTrust() throws(CryptoError) {
    let context = unsafe handle.pointer
    let store = try TrustStore.make(configuration.trustRoots)
    // set1: the context takes its own reference, ours goes with `store`.
    unsafe SSL_CTX_set1_cert_store(context, store.pointer)
    unsafe SSL_CTX_set_verify_depth(context, TrustStore.maximumDepth)
    let mode: Int32
    switch (configuration.peerVerification, configuration.role) {
    case (.required, .server): mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
    case (.none, _): mode = SSL_VERIFY_NONE
    default: mode = SSL_VERIFY_PEER
    }
    unsafe SSL_CTX_set_verify(context, mode, configuration.role == .server ? Self.judged : nil)
    if configuration.peerVerification == .requestUnverified {
      unsafe SSL_CTX_set_cert_verify_callback(context, { _, _ in 1 }, nil)
    }
    if configuration.role == .server, mode != SSL_VERIFY_NONE {
      try advertiseAuthorities()
    }
  }

  /// Lets a server answer a certificate that is not valid yet as one that has expired. The alert for both is
  /// certificate_expired (RFC 8446 section 6.2), which Go sends too; OpenSSL would send bad_certificate.
  private static let judged: SSL_verify_cb = { isAccepted, store in
    if isAccepted == 0, unsafe X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_NOT_YET_VALID {
      unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_HAS_EXPIRED)
      let index = SSL_get_ex_data_X509_STORE_CTX_idx()
      if let ssl = unsafe X509_STORE_CTX_get_ex_data(store, index) {
        unsafe SSL_set_ex_data(OpaquePointer(ssl), notYetValidMark, ssl)
      }
    }
    return isAccepted
  }

  /// Where an `SSL` remembers that the certificate was not valid yet: the place for its user's data.
  static let notYetValidMark: Int32 = 0

  /// Names the subjects of the trust roots to clients: Go's clients withhold a certificate whose
  /// issuer is not named.
  private func advertiseAuthorities() throws(CryptoError) {
    guard let names = unsafe copenssl_names_new() else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
    var seen: Set<String> = []
    for root in configuration.trustRoots where seen.insert(root.subject).inserted {
      let parsed = root.handle
      let name = unsafe X509_NAME_dup(X509_get_subject_name(parsed.pointer))
      _ = unsafe copenssl_names_push(names, name)
    }
    // The context owns the list from here on.
    unsafe SSL_CTX_set0_CA_list(handle.pointer, names)
  }

  private func applyProtocols() throws(CryptoError) {
    guard !protocols.names.isEmpty else { return }
    let context = unsafe handle.pointer
    if configuration.role == .client {
      // Zero is success here.
      let wire = protocols.wire
      guard unsafe SSL_CTX_set_alpn_protos(context, wire, UInt32(wire.count)) == 0 else {
        throw CryptoError(.internalFailure, OpenSSL.drainErrors())
      }
      return
    }
    let argument = unsafe Unmanaged.passUnretained(protocols).toOpaque()
    unsafe SSL_CTX_set_alpn_select_cb(
      context,
      { _, chosen, chosenLength, offered, offeredLength, argument in
        guard let argument = unsafe argument, let offered = unsafe offered else {
          return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        let list = unsafe Unmanaged<ProtocolList>.fromOpaque(argument).takeUnretainedValue()
        let offer = unsafe UnsafeBufferPointer(start: offered, count: Int(offeredLength))
        guard let range = unsafe list.choose(from: offer) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        // The answer points into the client's own list, which the library keeps until it has copied
        // it.
        unsafe chosen?.pointee = offered + range.lowerBound
        unsafe chosenLength?.pointee = UInt8(range.count)
        return SSL_TLSEXT_ERR_OK
      }, argument)
  }

  private func number(_ version: TLSConfiguration.Version) -> Int32 {
    version == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
  }

  private func check(_ result: Int32, _ what: String? = nil) throws(CryptoError) {
    guard result != 1 else { return }
    let reason = OpenSSL.drainErrors()
    throw CryptoError(.internalFailure, what.map { "\($0): \(reason)" } ?? reason)
  }
}
