internal import COpenSSL

/// A certificate signing request (PKCS#10, RFC 2986) whose signature has been checked, so that the
/// asker holds the key.
public struct CertificateRequest: Sendable, Hashable {
  public let der: [UInt8]
  public let subjectOrganizations: [String]
  public let commonName: String?
  public let dnsNames: [String]
  public let ipAddresses: [String]
  public let keyAlgorithm: KeyAlgorithm

  /// Reads the first CERTIFICATE REQUEST block of a PEM text.
  ///
  /// - Throws: `.malformed` when there is none or it cannot be read, `.verificationFailed` when its
  ///   signature was not made by its key.
  public init(pem: String) throws(CryptoError) {
    let labels = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"]
    guard let block = try PEM.blocks(of: pem).first(where: { labels.contains($0.label) }) else {
      throw CryptoError(.malformed, "there is no CERTIFICATE REQUEST block in the PEM text")
    }
    try self.init(der: block.contents)
  }

  /// As `init(pem:)`, from DER.
  public init(der: [UInt8]) throws(CryptoError) {
    let request = try Self.parse(der)
    guard let key = unsafe X509_REQ_get0_pubkey(request.pointer) else {
      throw CryptoError(.unsupported, "the request's key cannot be read")
    }
    guard unsafe X509_REQ_verify(request.pointer, key) == 1 else {
      ERR_clear_error()
      throw CryptoError(.verificationFailed, "the request was not signed by its own key")
    }
    self.der = der
    keyAlgorithm = unsafe KeyAlgorithm(key: key)
    let subject = unsafe X509_REQ_get_subject_name(request.pointer)
    subjectOrganizations = unsafe DistinguishedName.values(NID_organizationName, of: subject)
    commonName = unsafe DistinguishedName.values(NID_commonName, of: subject).first
    let extensions = unsafe X509_REQ_get_extensions(request.pointer)
    defer { unsafe copenssl_extensions_free(extensions) }
    let names = unsafe AlternativeNames(
      takingOver: X509V3_get_d2i(extensions, NID_subject_alt_name, nil, nil))
    dnsNames = names.dnsNames
    ipAddresses = names.ipAddresses.map(\.text)
    ERR_clear_error()
  }

  /// Asks for a certificate for `key`.
  public init(
    key: PrivateKey, organizations: [String] = [], commonName: String? = nil,
    dnsNames: [String] = [], ipAddresses: [String] = []
  ) throws(CryptoError) {
    let names = try AlternativeNames(dnsNames: dnsNames, ipAddresses: ipAddresses)
    OpenSSL.begin()
    let request = try unsafe Handle(owning: X509_REQ_new(), X509_REQ_free)
    let subject = unsafe X509_REQ_get_subject_name(request.pointer)
    try unsafe DistinguishedName.append(organizations, as: NID_organizationName, to: subject)
    try unsafe DistinguishedName.append(
      commonName.map { [$0] } ?? [], as: NID_commonName, to: subject)
    guard unsafe X509_REQ_set_pubkey(request.pointer, key.handle.pointer) == 1 else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
    if !names.isEmpty { try Self.add(names, to: request) }
    let digest = unsafe key.algorithm.signatureDigest
    guard unsafe X509_REQ_sign(request.pointer, key.handle.pointer, digest) > 0 else {
      throw CryptoError(.internalFailure, "signing failed: \(OpenSSL.drainErrors())")
    }
    try self.init(der: unsafe encoded { out in unsafe i2d_X509_REQ(request.pointer, out) })
  }

  /// The request as one PEM block that ends in a line break.
  public var pem: String { PEM.text(label: "CERTIFICATE REQUEST", der) }

  private static func add(
    _ names: AlternativeNames, to request: borrowing Handle
  ) throws(CryptoError) {
    let list = try names.encodable()
    let made = unsafe X509V3_EXT_i2d(
      NID_subject_alt_name, 0, UnsafeMutableRawPointer(list.pointer))
    guard let made = unsafe made, let extensions = unsafe copenssl_extensions_new() else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
    // The stack owns the extension, and goes after the request has copied it.
    _ = unsafe copenssl_extensions_push(extensions, made)
    defer { unsafe copenssl_extensions_free(extensions) }
    guard unsafe X509_REQ_add_extensions(request.pointer, extensions) == 1 else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
  }

  /// A new `X509_REQ` made from DER; the caller's handle owns it.
  static func parse(_ der: [UInt8]) throws(CryptoError) -> Handle {
    OpenSSL.begin()
    guard der.count <= Certificate.maximumSize else {
      throw CryptoError(.limitExceeded, "the certificate request is larger than 64 KiB")
    }
    let (parsed, consumed) = unsafe decoded(der) { unsafe d2i_X509_REQ(nil, $0, $1) }
    guard let parsed = unsafe parsed else {
      throw CryptoError(.malformed, "not a certificate request: \(OpenSSL.drainErrors())")
    }
    let handle = try unsafe Handle(owning: parsed, X509_REQ_free)
    guard consumed == der.count else {
      throw CryptoError(.malformed, "there are bytes behind the certificate request's end")
    }
    return handle
  }
}
