internal import COpenSSL

/// Why a chain of certificates was not accepted (the result codes of OpenSSL's verification).
public enum VerificationFailure: Sendable, Hashable {
  /// No trusted root has issued the chain.
  case unknownIssuer
  /// The certificate is self-signed and no trusted root.
  case selfSigned
  /// A certificate of the chain is self-signed and no trusted root.
  case selfSignedInChain
  /// A trusted root has the issuer's name, but has not made the signature.
  case badSignature
  case expired
  case notYetValid
  /// The certificate is not meant for this use.
  case wrongPurpose
  case issuerIsNoAuthority
  case chainTooLong
  /// The certificate is for another name or address.
  case wrongName
  /// Another result code.
  case other(Int32)

  init(_ result: Int32) {
    switch result {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      self = .unknownIssuer
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN: self = .selfSignedInChain
    case X509_V_ERR_CERT_SIGNATURE_FAILURE: self = .badSignature
    case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
    case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
    case X509_V_ERR_INVALID_PURPOSE: self = .wrongPurpose
    case X509_V_ERR_INVALID_CA: self = .issuerIsNoAuthority
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: self = .chainTooLong
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .wrongName
    default: self = .other(result)
    }
  }

  /// - Parameter expectedName: the name that the certificate should have had.
  func words(expectedName: String? = nil) -> String {
    switch self {
    case .unknownIssuer: return "unknown issuer"
    case .selfSigned: return "self-signed certificate that is not a trusted root"
    case .selfSignedInChain: return "self-signed certificate in chain is not a trusted root"
    case .badSignature: return "signature was not made by the issuer"
    case .expired: return "certificate has expired"
    case .notYetValid: return "certificate is not yet valid"
    case .wrongPurpose: return "certificate is not meant for this use"
    case .issuerIsNoAuthority: return "issuer is not a certificate authority"
    case .chainTooLong: return "certificate chain is too long"
    case .wrongName:
      guard let expectedName else { return "certificate is for another name" }
      return "certificate is not valid for \(expectedName)"
    case .other(let result):
      let text = unsafe X509_verify_cert_error_string(Int(result))
      return unsafe text.map { unsafe String(cString: $0) } ?? "error \(result)"
    }
  }
}
