public import HTTP2Codes

/// How a connection ended, or why there never was one, as this side's transport has seen it.
///
/// The case alone decides what an end means. The words beside a case are for people.
public indirect enum ConnectionEnd: Error, Sendable, Hashable, CustomStringConvertible {
  /// The host's name has no address, or the name cannot be looked up.
  case unresolved(String)
  /// Nobody listens at the address.
  case refused
  /// The system has found no way to the address, or to the peer any more.
  case unreachable(String)
  /// The peer took too long: to connect, to acknowledge, or to give a sign of life.
  case timedOut(String)
  /// TLS failed.
  case tls(TLSFailure, String)
  /// ALPN has chosen another protocol than HTTP/2, or none.
  case foreignProtocol(String?)
  /// The peer has taken the connection and then ended it without a word.
  case cut(String)
  /// The peer has ended the connection by GOAWAY.
  case goAway(GoAway)
  /// The peer has broken the rules of HTTP/2.
  case protocolError(String)
  /// This side has ended the connection for a reason of its own.
  case closed(String)
  /// No address of the host would do.
  case addresses([AddressEnd])

  /// What came of one address of a host that has several.
  public struct AddressEnd: Sendable, Hashable {
    public var address: String
    public var end: ConnectionEnd

    public init(address: String, end: ConnectionEnd) {
      self.address = address
      self.end = end
    }
  }

  /// This end, or those of the single addresses.
  public var single: [ConnectionEnd] {
    if case .addresses(let ends) = self { ends.map(\.end) } else { [self] }
  }

  /// The TLS failure, of several addresses the first one's that had one.
  public var tlsFailure: TLSFailure? {
    for case .tls(let failure, _) in single { return failure }
    return nil
  }

  public var description: String {
    switch self {
    case .refused: "connect: Connection refused"
    case .unresolved(let text), .unreachable(let text), .timedOut(let text), .tls(_, let text),
      .cut(let text), .closed(let text):
      text
    case .foreignProtocol(let name):
      "the peer does not speak HTTP/2: ALPN chose \(name ?? "nothing")"
    case .goAway(let goAway): goAway.description
    case .protocolError(let text): "HTTP/2: \(text)"
    case .addresses(let ends): ends.map { "\($0.address): \($0.end)" }.joined(separator: "; ")
    }
  }
}

/// A peer's GOAWAY (RFC 9113 section 6.8).
public struct GoAway: Sendable, Hashable, CustomStringConvertible {
  public var errorCode: HTTP2ErrorCode
  /// GOAWAY's debug data, in the peer's words.
  public var reason: String

  public init(errorCode: HTTP2ErrorCode, reason: String = "") {
    self.errorCode = errorCode
    self.reason = reason
  }

  /// The client has asked for signs of life more often than its server likes (gRFC A8).
  public var isForPings: Bool { errorCode == .enhanceYourCalm && reason == "too_many_pings" }

  public var description: String {
    "the server has ended the connection"
      + (errorCode == .noError ? "" : " (HTTP/2 error \(errorCode))")
      + (reason.isEmpty ? "" : ": " + reason)
  }
}

/// What went wrong in TLS, as far as a caller decides by it.
public enum TLSFailure: Sendable, Hashable {
  /// The peer does not accept this side's certificate, or that there is none, and has said so by the
  /// alert of that number (RFC 8446 section 6.2).
  case certificateRefused(alert: UInt8)
  /// The peer has ended the connection by an alert that is not about a certificate.
  case alert(UInt8)
  /// This side does not accept the peer's certificate.
  case peerNotTrusted(CertificateFault, PresentedPeer? = nil)
  /// The peer presents no certificate, speaks no TLS, or speaks TLS against its rules.
  case peerFault
  /// This side could not do its part.
  case ownFault

  /// The certificate that was refused, on either side, is out of its time to the side that judges it.
  public var isAboutTime: Bool {
    switch self {
    case .certificateRefused(let alert): alert == 45  // certificate_expired
    case .peerNotTrusted(.expired, _), .peerNotTrusted(.notYetValid, _): true
    case .alert, .peerNotTrusted, .peerFault, .ownFault: false
    }
  }

  /// Why this side does not accept the peer's certificate, if it does not.
  public var fault: CertificateFault? {
    if case .peerNotTrusted(let fault, _) = self { fault } else { nil }
  }

  /// What the peer presented, if that was not accepted.
  public var presented: PresentedPeer? {
    if case .peerNotTrusted(_, let presented) = self { presented } else { nil }
  }
}

/// What a server presented that was not accepted: claims, of which nothing is proved.
public struct PresentedPeer: Sendable, Hashable {
  /// From when until when its certificate is valid, in seconds since 1970.
  public var notBefore: Int64
  public var notAfter: Int64
  /// The fingerprint (SHA-256, hexadecimal) of the authority at the end of the chain that it sent, if there was one.
  public var authority: String?

  public init(notBefore: Int64, notAfter: Int64, authority: String? = nil) {
    self.notBefore = notBefore
    self.notAfter = notAfter
    self.authority = authority
  }
}

/// Why this side does not accept a peer's certificate.
public enum CertificateFault: Sendable, Hashable {
  /// The certificate comes from no authority that this side trusts.
  case unknownIssuer
  case expired
  case notYetValid
  /// The certificate is for another name or address than the one that was dialled.
  case wrongName
  /// Another fault, such as a certificate that is not meant for this use.
  case other
}
