internal import COpenSSL

/// Writes one certificate: version 3, a random serial, the extensions in the order that Go writes.
struct CertificateBuilder: ~Copyable {
  /// The certificate being written; owned here.
  private let certificate: Handle

  /// Begins a certificate for the public half of `key`, valid from `notBefore` to `notAfter` (Unix
  /// seconds).
  init(
    key: OpaquePointer?, notBefore: Int64, notAfter: Int64
  ) throws(CryptoError) {
    OpenSSL.begin()
    let certificate = try unsafe Handle(owning: X509_new(), X509_free)
    try Self.check(unsafe X509_set_version(certificate.pointer, Int(X509_VERSION_3)))
    try Self.setSerial(of: certificate)
    let begin = try Self.time(notBefore)
    let end = try Self.time(notAfter)
    // The certificate takes copies of the times, and a reference to the key.
    try Self.check(unsafe X509_set1_notBefore(certificate.pointer, .init(begin.pointer)))
    try Self.check(unsafe X509_set1_notAfter(certificate.pointer, .init(end.pointer)))
    try Self.check(unsafe X509_set_pubkey(certificate.pointer, key))
    self.certificate = certificate
  }

  /// A random serial of 128 bits, never zero.
  private static func setSerial(of certificate: borrowing Handle) throws(CryptoError) {
    var bytes = Random.bytes(16)
    if bytes[0] == 0 { bytes[0] = 1 }
    let number = try unsafe Handle(owning: BN_bin2bn(bytes, 16, nil), BN_free)
    let serial = unsafe X509_get_serialNumber(certificate.pointer)
    guard unsafe BN_to_ASN1_INTEGER(number.pointer, serial) != nil else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
  }

  /// A new `ASN1_TIME`; the caller's handle owns it.
  private static func time(_ seconds: Int64) throws(CryptoError) -> Handle {
    guard let time = unsafe ASN1_TIME_set(nil, Int(seconds)) else {
      throw CryptoError(.malformed, "a certificate cannot be valid at the Unix time \(seconds)")
    }
    return try unsafe Handle(owning: OpaquePointer(time)) { unsafe ASN1_TIME_free(.init($0)) }
  }

  /// Writes the subject: organizations, then the common name.
  func setSubject(organizations: [String], commonName: String?) throws(CryptoError) {
    let name = unsafe X509_get_subject_name(certificate.pointer)
    try unsafe DistinguishedName.append(organizations, as: NID_organizationName, to: name)
    try unsafe DistinguishedName.append(
      commonName.map { [$0] } ?? [], as: NID_commonName, to: name)
  }

  /// Adds an extension from OpenSSL's text form. `value` is one of this module's constants, never
  /// input.
  func addExtension(_ kind: Int32, _ value: String) throws(CryptoError) {
    try unsafe addExtension(kind, value, issuer: certificate.pointer)
  }

  /// Names the issuer's key, if the issuer names it itself.
  func addAuthorityKeyID(of issuer: SharedHandle) throws(CryptoError) {
    guard unsafe X509_get0_subject_key_id(issuer.pointer) != nil else { return }
    try unsafe addExtension(NID_authority_key_identifier, "keyid:always", issuer: issuer.pointer)
  }

  private func addExtension(
    _ kind: Int32, _ value: String, issuer: OpaquePointer
  ) throws(CryptoError) {
    var context = unsafe X509V3_CTX()
    unsafe X509V3_set_ctx(&context, issuer, certificate.pointer, nil, nil, 0)
    let made = try unsafe Handle(
      owning: X509V3_EXT_conf_nid(nil, &context, kind, value), X509_EXTENSION_free)
    // The certificate takes a copy.
    try Self.check(unsafe X509_add_ext(certificate.pointer, made.pointer, -1))
  }

  /// Gives the subject's key a name.
  func addSubjectKeyID(_ bytes: [UInt8]) throws(CryptoError) {
    let value = unsafe ASN1_OCTET_STRING_new()
    defer { unsafe ASN1_OCTET_STRING_free(value) }
    try Self.check(unsafe ASN1_OCTET_STRING_set(value, bytes, Int32(bytes.count)))
    try Self.check(
      unsafe X509_add1_ext_i2d(certificate.pointer, NID_subject_key_identifier, value, 0, 0))
  }

  /// Adds the names that the subject answers to.
  func addAlternativeNames(_ names: AlternativeNames, critical: Bool) throws(CryptoError) {
    guard !names.isEmpty else { return }
    let list = try names.encodable()
    try Self.check(
      unsafe X509_add1_ext_i2d(
        certificate.pointer, NID_subject_alt_name, UnsafeMutableRawPointer(list.pointer),
        critical ? 1 : 0, 0))
  }

  /// Signs with `key` in the name of `issuer`; nil signs in the subject's own name.
  consuming func sign(
    with key: PrivateKey, issuer: Certificate?
  ) throws(CryptoError) -> Certificate {
    // A copy of the name is taken, in the issuer's own encoding.
    if let issuer {
      let parsed = issuer.handle
      let name = unsafe X509_get_subject_name(parsed.pointer)
      try Self.check(unsafe X509_set_issuer_name(certificate.pointer, name))
    } else {
      let name = unsafe X509_get_subject_name(certificate.pointer)
      try Self.check(unsafe X509_set_issuer_name(certificate.pointer, name))
    }
    let digest = unsafe key.algorithm.signatureDigest
    guard unsafe X509_sign(certificate.pointer, key.handle.pointer, digest) > 0 else {
      throw CryptoError(.internalFailure, "signing failed: \(OpenSSL.drainErrors())")
    }
    return try Certificate(der: unsafe encoded { out in unsafe i2d_X509(certificate.pointer, out) })
  }

  private static func check(_ result: Int32) throws(CryptoError) {
    guard result == 1 else { throw CryptoError(.internalFailure, OpenSSL.drainErrors()) }
  }
}

extension KeyAlgorithm {
  /// The digest that signatures of such a key use; nil for Ed25519, which has its own. Lent by the
  /// library.
  var signatureDigest: OpaquePointer? {
    switch self {
    case .ed25519: nil
    case .ecdsaP384: unsafe EVP_sha384()
    case .ecdsaP521: unsafe EVP_sha512()
    case .ecdsaP256, .rsa, .other: unsafe EVP_sha256()
    }
  }
}
