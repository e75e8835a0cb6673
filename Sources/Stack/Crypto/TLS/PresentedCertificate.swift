internal import COpenSSL

/// What a server presented that was not accepted: claims, of which nothing is proved.
public struct PresentedCertificate: Sendable, Hashable {
  /// The leaf's times, in seconds since 1970 (RFC 5280 section 4.1.2.5).
  public var notBefore: Int64
  public var notAfter: Int64
  /// The fingerprint of the self-signed authority at the end of the chain, if one was sent.
  public var authority: String?

  public init(notBefore: Int64, notAfter: Int64, authority: String? = nil) {
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.authority = authority
  }

  /// Nil where the chain cannot be read. `ssl` stays the caller's.
  init?(of ssl: OpaquePointer) {
    // Lent by the connection, which keeps what it was sent whether it is accepted or not.
    guard let chain = unsafe SSL_get_peer_cert_chain(ssl) else { return nil }
    let count = unsafe copenssl_certificates_count(chain)
    guard count > 0 else { return nil }
    func certificate(_ index: Int32) -> Certificate? {
      let certificate = unsafe copenssl_certificates_get(chain, index)
      let bytes = unsafe encoded { out in unsafe i2d_X509(certificate, out) }
      return try? Certificate(der: bytes)
    }
    guard let leaf = certificate(0) else { return nil }
    let last = count > 1 ? certificate(count - 1) : nil
    self.init(
      notBefore: leaf.notBefore, notAfter: leaf.notAfter,
      authority: last.flatMap { $0.subject == $0.issuer ? $0.fingerprint : nil })
  }
}
