internal import Crypto
internal import RPC
internal import Reactor

extension ConnectionEnd {
  /// A TLS connection has failed.
  init(_ error: TLSError) {
    switch error.code {
    case .truncated: self = .cut(error.message)
    default: self = .tls(TLSFailure(error), error.message)
    }
  }

  /// A connection could not be made.
  init(connecting error: SystemError) {
    switch error.kind {
    case .refused: self = .refused
    case .timedOut: self = .timedOut("\(error)")
    case .reset: self = .cut("\(error)")
    case .other: self = .unreachable("\(error)")
    }
  }

  /// A connection that stood could not be read from or written to.
  init(using error: SystemError) {
    switch error.kind {
    case .timedOut: self = .timedOut("\(error)")
    case .refused, .reset: self = .cut("\(error)")
    case .other: self = .unreachable("\(error)")
    }
  }

  static let closedByPeer = ConnectionEnd.cut("the peer closed the connection")
}

extension TLSFailure {
  init(_ error: TLSError) {
    switch error.code {
    case .remoteAlert:
      let alert = error.alert ?? 0
      self = error.isCertificateRefusal ? .certificateRefused(alert: alert) : .alert(alert)
    case .peerNotTrusted:
      self = .peerNotTrusted(
        CertificateFault(error.verification),
        error.presented.map {
          PresentedPeer(notBefore: $0.notBefore, notAfter: $0.notAfter, authority: $0.authority)
        })
    case .peerWithoutCertificate, .protocolViolation, .truncated, .limitExceeded: self = .peerFault
    case .misuse, .internalFailure: self = .ownFault
    }
  }
}

extension CertificateFault {
  init(_ failure: VerificationFailure?) {
    switch failure {
    // A new authority often has the old one's name: its signature is then no trusted root's.
    case .unknownIssuer, .selfSigned, .selfSignedInChain, .badSignature: self = .unknownIssuer
    case .expired: self = .expired
    case .notYetValid: self = .notYetValid
    case .wrongName: self = .wrongName
    case .wrongPurpose, .issuerIsNoAuthority, .chainTooLong, .other, nil: self = .other
    }
  }
}
