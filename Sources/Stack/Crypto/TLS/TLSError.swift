internal import COpenSSL

/// Why a TLS connection failed, so that a caller can tell a refusal from trouble on the network.
public struct TLSError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The peer ended the connection with an alert; see `alert`.
    case remoteAlert
    /// The peer's certificate does not lead to a trusted root, is not valid now, not for this use
    /// or not for this name.
    case peerNotTrusted
    /// A certificate was required and the peer presented none.
    case peerWithoutCertificate
    /// What the peer sent is not TLS, was changed on the way, or offers nothing both sides speak.
    case protocolViolation
    /// The peer's bytes ended without a close notification.
    case truncated
    /// The peer sent more than a handshake may take.
    case limitExceeded
    /// A call that does not fit the connection's state, such as writing before the handshake is
    /// complete.
    case misuse
    /// The library failed for a reason of its own.
    case internalFailure
  }

  public var code: Code
  /// The number of the alert that the peer sent (RFC 8446 section 6).
  public var alert: UInt8?
  /// Why the peer's certificate was not accepted, for `peerNotTrusted`.
  public var verification: VerificationFailure?
  /// What the peer presented, as a client sees it, for `peerNotTrusted`. Nothing of it is proved.
  public var presented: PresentedCertificate?
  /// What happened, in words. An alert reads as Go's programs write it: `remote error: tls: unknown
  /// certificate authority`.
  public var message: String

  public init(
    _ code: Code, alert: UInt8? = nil, verification: VerificationFailure? = nil, _ message: String
  ) {
    self.code = code
    self.alert = alert
    self.verification = verification
    self.message = message
  }

  public var description: String { message }

  /// Whether the peer said no to the certificate presented to it (or to its absence).
  public var isCertificateRefusal: Bool {
    guard code == .remoteAlert, let alert else { return false }
    return (42...46).contains(alert) || alert == 48 || alert == 49 || alert == 116
  }
}

extension TLSError {
  static func remote(alert: UInt8) -> TLSError {
    let words = alertWords[alert] ?? "alert \(alert)"
    return TLSError(.remoteAlert, alert: alert, "remote error: tls: \(words)")
  }

  /// The alerts of RFC 8446 section 6.2 and RFC 5246 section 7.2 as Go's crypto/tls calls them.
  private static let alertWords: [UInt8: String] = [
    0: "close notify", 10: "unexpected message", 20: "bad record MAC", 21: "decryption failed",
    22: "record overflow", 30: "decompression failure", 40: "handshake failure",
    42: "bad certificate", 43: "unsupported certificate", 44: "revoked certificate",
    45: "expired certificate", 46: "unknown certificate", 47: "illegal parameter",
    48: "unknown certificate authority", 49: "access denied", 50: "error decoding message",
    51: "error decrypting message", 60: "export restriction",
    70: "protocol version not supported", 71: "insufficient security level", 80: "internal error",
    86: "inappropriate fallback", 90: "user canceled", 100: "no renegotiation",
    109: "missing extension", 110: "unsupported extension", 111: "certificate unobtainable",
    112: "unrecognized name", 113: "bad certificate status response",
    114: "bad certificate hash value", 115: "unknown PSK identity", 116: "certificate required",
    120: "no application protocol",
  ]

  /// What the error queue and the verification result of a failed connection say. The queue is
  /// empty afterwards. `ssl` stays the caller's.
  static func fromQueue(of ssl: OpaquePointer, expectedName: String?) -> TLSError {
    guard let code = takeTellingError() else {
      return TLSError(.truncated, "the connection was cut off")
    }
    guard isOfTLSLayer(code) else {
      // The layers below (ASN.1, X.509, curves) complain of what they are given to read, and that is
      // the peer's: a certificate with a length changed on the way, a point off its curve.
      return TLSError(
        copenssl_is_own_failure(code) != 0 ? .internalFailure : .protocolViolation,
        "tls: \(OpenSSL.reason(of: code))")
    }
    let reason = copenssl_reason(code)
    switch reason {
    // A reason above this offset is an alert that the peer sent.
    case SSL_AD_REASON_OFFSET...(SSL_AD_REASON_OFFSET + 255):
      return .remote(alert: UInt8(reason - SSL_AD_REASON_OFFSET))
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      let isEarly = unsafe SSL_get_ex_data(ssl, TLSContext.notYetValidMark) != nil
      let cause =
        unsafe isEarly ? .notYetValid : VerificationFailure(Int32(SSL_get_verify_result(ssl)))
      let words = cause.words(expectedName: expectedName)
      var error = TLSError(
        .peerNotTrusted, verification: cause, "certificate verify failed: \(words)")
      error.presented = unsafe SSL_is_server(ssl) == 0 ? PresentedCertificate(of: ssl) : nil
      return error
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TLSError(.peerWithoutCertificate, "tls: the client presented no certificate")
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return TLSError(.truncated, "the connection was cut off without a close notification")
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
      return TLSError(.limitExceeded, "tls: the peer's handshake message is too large")
    default:
      return TLSError(.protocolViolation, "tls: \(OpenSSL.reason(of: code))")
    }
  }

  /// Empties the error queue; returns the oldest error with a reason of the TLS layer's own, which
  /// says more than what lies below it, or else the oldest of all.
  private static func takeTellingError() -> UInt? {
    var oldest: UInt?
    while true {
      let code = ERR_get_error()
      guard code != 0 else { return oldest }
      if isOfTLSLayer(code) {
        ERR_clear_error()
        return code
      }
      oldest = oldest ?? code
    }
  }

  /// Reasons below 100 are general ones, such as that another part of the library failed.
  private static func isOfTLSLayer(_ code: UInt) -> Bool {
    copenssl_library(code) == ERR_LIB_SSL && (100..<4096).contains(copenssl_reason(code))
  }
}
