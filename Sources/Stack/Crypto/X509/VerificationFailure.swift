internal import COpenSSL

/// Words for the result codes of OpenSSL's chain verification.
enum VerificationFailure {
  static func words(_ result: Int32, expectedName: String? = nil) -> String {
    switch result {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "unknown issuer"
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "self-signed certificate that is not a trusted root"
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "self-signed certificate in chain is not a trusted root"
    case X509_V_ERR_CERT_HAS_EXPIRED: return "certificate has expired"
    case X509_V_ERR_CERT_NOT_YET_VALID: return "certificate is not yet valid"
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: return "signature was not made by the issuer"
    case X509_V_ERR_INVALID_PURPOSE: return "certificate is not meant for this use"
    case X509_V_ERR_INVALID_CA: return "issuer is not a certificate authority"
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: return "certificate chain is too long"
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
      guard let expectedName else { return "certificate is for another name" }
      return "certificate is not valid for \(expectedName)"
    default:
      let text = unsafe X509_verify_cert_error_string(Int(result))
      return unsafe text.map { unsafe String(cString: $0) } ?? "error \(result)"
    }
  }
}
