internal import COpenSSL
internal import Encodings

/// What a certificate says, as plain values.
struct CertificateFacts: Sendable {
  var subjectOrganizations: [String]
  var commonName: String?
  var subject: String
  var issuer: String
  var notBefore: Int64
  var notAfter: Int64
  var isCA: Bool
  var subjectKeyID: [UInt8]?
  var authorityKeyID: [UInt8]?
  var serialHex: String
  var dnsNames: [String]
  var ipAddresses: [String]
  var keyAlgorithm: KeyAlgorithm
  var publicKeyInfo: [UInt8]

  /// Reads an `X509`, which stays the caller's.
  init(reading certificate: OpaquePointer) throws(CryptoError) {
    let subjectName = unsafe X509_get_subject_name(certificate)
    subjectOrganizations = unsafe DistinguishedName.values(NID_organizationName, of: subjectName)
    commonName = unsafe DistinguishedName.values(NID_commonName, of: subjectName).first
    subject = unsafe DistinguishedName.text(of: subjectName)
    issuer = unsafe DistinguishedName.text(of: X509_get_issuer_name(certificate))
    notBefore = try unsafe unixSeconds(X509_get0_notBefore(certificate))
    notAfter = try unsafe unixSeconds(X509_get0_notAfter(certificate))
    // 1 is CA:TRUE; the other values are guesses for certificates without BasicConstraints.
    isCA = unsafe X509_check_ca(certificate) == 1
    subjectKeyID = unsafe bytes(of: X509_get0_subject_key_id(certificate))
    authorityKeyID = unsafe bytes(of: X509_get0_authority_key_id(certificate))
    serialHex = try unsafe Self.serial(of: certificate)
    guard let key = unsafe X509_get0_pubkey(certificate) else {
      throw CryptoError(
        .unsupported, "the certificate's key cannot be read: \(OpenSSL.drainErrors())")
    }
    keyAlgorithm = unsafe KeyAlgorithm(key: key)
    publicKeyInfo = unsafe encoded { out in
      unsafe i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), out)
    }
    let names = unsafe AlternativeNames(
      takingOver: X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil))
    dnsNames = names.dnsNames
    ipAddresses = names.ipAddresses.map(\.text)
    ERR_clear_error()
  }

  private static func serial(of certificate: OpaquePointer) throws(CryptoError) -> String {
    let number = try unsafe Handle(
      owning: ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil), BN_free)
    var magnitude = [UInt8](repeating: 0, count: (Int(unsafe BN_num_bits(number.pointer)) + 7) / 8)
    _ = unsafe BN_bn2bin(number.pointer, &magnitude)
    let digits = Hexadecimal.encode(magnitude)
    return digits.hasPrefix("0") ? String(digits.dropFirst()) : digits
  }
}

private func unixSeconds(_ time: UnsafePointer<ASN1_TIME>?) throws(CryptoError) -> Int64 {
  // Differences to the epoch, since ASN.1 times reach beyond what time_t functions agree on.
  guard let epoch = unsafe ASN1_TIME_set(nil, 0) else {
    throw CryptoError(.internalFailure, OpenSSL.drainErrors())
  }
  defer { unsafe ASN1_TIME_free(epoch) }
  var days: Int32 = 0
  var seconds: Int32 = 0
  guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else {
    throw CryptoError(.malformed, "the certificate's validity is not a time")
  }
  return Int64(days) * 86_400 + Int64(seconds)
}
