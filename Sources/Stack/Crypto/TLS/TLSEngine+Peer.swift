internal import COpenSSL

/// Who the peer is, and who it has to be.
extension TLSEngine {
  /// Has the peer's certificate checked for a name, if the configuration wants that; a DNS name is also sent to the server.
  func require(_ name: String) throws(CryptoError) {
    let parameters = unsafe SSL_get0_param(ssl.pointer)
    if let address = IPAddress(name) {
      guard context.configuration.verifiesName else { return }
      let bytes = address.bytes
      guard unsafe X509_VERIFY_PARAM_set1_ip(parameters, bytes, bytes.count) == 1 else {
        throw CryptoError(.internalFailure, OpenSSL.drainErrors())
      }
      return
    }
    let host = name.hasSuffix(".") ? String(name.dropLast()) : name
    let isHostName = host.utf8.allSatisfy { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
      default: false
      }
    }
    guard isHostName, (1...253).contains(host.utf8.count) else {
      throw CryptoError(.malformed, "not a DNS name or an IP address: \(name.debugDescription)")
    }
    guard unsafe copenssl_set_server_name(ssl.pointer, host) == 1 else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
    guard context.configuration.verifiesName else { return }
    // The common name does not count, as in Go.
    unsafe X509_VERIFY_PARAM_set_hostflags(
      parameters,
      UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    guard unsafe X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1 else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
  }

  /// The peer's certificates as DER, leaf first; empty when it presented none. Whether they were
  /// verified is the configuration's matter.
  public var peerCertificateBytes: [[UInt8]] {
    // Both lent by the connection.
    guard let leaf = unsafe SSL_get0_peer_certificate(ssl.pointer) else { return [] }
    var list = [unsafe encoded { out in unsafe i2d_X509(leaf, out) }]
    if let chain = unsafe SSL_get_peer_cert_chain(ssl.pointer) {
      for index in 0..<(unsafe copenssl_certificates_count(chain)) {
        let certificate = unsafe copenssl_certificates_get(chain, index)
        let bytes = unsafe encoded { out in unsafe i2d_X509(certificate, out) }
        // A client's view of the chain begins with the leaf, a server's does not.
        if index == 0, bytes == list[0] { continue }
        list.append(bytes)
      }
    }
    return list
  }

  /// Whether a peer is let in by its certificate: it has none, or a valid one.
  public var verifiesPeer: Bool {
    switch context.configuration.peerVerification {
    case .required, .optional: true
    case .requestUnverified, .none: false
    }
  }

  /// As `peerCertificateBytes`, read; certificates that cannot be read are left out.
  public var peerCertificates: [Certificate] {
    peerCertificateBytes.compactMap { try? Certificate(der: $0) }
  }
}
