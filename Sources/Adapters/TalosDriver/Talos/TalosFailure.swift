import Orchestrator
import RPC

/// Why a call to a machine did not give what it should.
enum TalosFailure: Error {
  /// No connection, no answer in time, or the connection broke.
  case unreachable(String)
  /// The machine does not accept our certificate.
  case rejected(String)
  /// We do not accept the machine's certificate.
  case untrusted(String)
  /// Another machine than the one that was meant answers at the address.
  case misdirected(String)
  /// The machine answered with a status that is no success.
  case status(StatusCode, String)
  /// The machine answered, but with nothing that can be used.
  case unusable(DriverError)

  /// - Parameter action: what was tried, for the message: `read the members`.
  init(_ error: RPCError, _ action: String) {
    let said = PeerText.clean(error.message)
    switch error.code {
    case .unavailable:
      switch TLSRefusal(error.message) {
      case .byPeer: self = .rejected("could not \(action): \(said)")
      case .byUs: self = .untrusted("could not \(action): \(said)")
      case nil: self = .unreachable("could not \(action): \(said)")
      }
    case .cancelled, .deadlineExceeded:
      self = .unreachable("could not \(action): \(error.code.name) \(said)")
    default: self = .status(error.code, "could not \(action): \(error.code.name) \(said)")
    }
  }

  var message: String {
    switch self {
    case .unreachable(let message), .rejected(let message), .untrusted(let message),
      .misdirected(let message), .status(_, let message):
      message
    case .unusable(let error): error.message
    }
  }

  /// Whether the same call may succeed a moment later: while apid takes up a new configuration it
  /// drops connections, and it takes one configuration at a time.
  var isPassing: Bool {
    switch self {
    case .unreachable: true
    case .status(let code, _): code == .failedPrecondition || code == .aborted
    default: false
    }
  }

  /// Whether the peer took the connection and then cut it off without a word. Some TLS servers refuse a
  /// certificate that way; machines in trouble do it as well.
  var isCutOff: Bool {
    guard case .unreachable(let message) = self else { return false }
    return ["the peer closed the connection", "was cut off", "Connection reset"].contains {
      message.contains($0)
    }
  }

  /// Whether there was no connection at all, as behind a firewall.
  var isNoConnection: Bool {
    if case .unreachable = self { !isCutOff } else { false }
  }

  /// Whether the machine's certificate comes from an authority that we do not know, rather than being out of
  /// its time or somebody else's.
  var isUnknownIssuer: Bool {
    guard case .untrusted(let message) = self else { return false }
    return message.contains("unknown issuer") || message.contains("self-signed")
      || message.contains("was not made by the issuer")
  }

  /// Whether a certificate that was refused, on either side, points to a clock that is wrong.
  var isAboutTime: Bool {
    switch self {
    case .rejected(let message): message.contains("expired certificate")
    case .untrusted(let message):
      message.contains("not yet valid") || message.contains("has expired")
    case .unreachable, .misdirected, .status, .unusable: false
    }
  }

  var isPermissionDenied: Bool {
    if case .status(.permissionDenied, _) = self { true } else { false }
  }

  var driverError: DriverError {
    switch self {
    case .unreachable(let message): DriverError(.unreachable, message)
    case .rejected(let message), .untrusted(let message): DriverError(.unauthenticated, message)
    case .unusable(let error): error
    case .misdirected(let message): DriverError(.conflict, message)
    case .status(let code, let message):
      switch code {
      case .unauthenticated: DriverError(.unauthenticated, message)
      case .permissionDenied:
        DriverError(.permissionDenied, message + " (this needs role os:admin)")
      case .invalidArgument: DriverError(.invalidConfig, message)
      default: DriverError(.refused, message)
      }
    }
  }
}

/// Who broke off a TLS handshake because of a certificate.
enum TLSRefusal: Equatable {
  case byPeer
  case byUs

  /// Reads it from a connection's error text. Only certificate alerts count: any other breakage is
  /// trouble of the network, never a refusal.
  init?(_ text: String) {
    // The certificate alerts of RFC 8446 section 6.2, in the words that the TLS layer has for them.
    let alerts = [
      "unknown certificate authority", "bad certificate", "certificate required",
      "unknown certificate", "expired certificate", "revoked certificate",
      "unsupported certificate", "access denied",
    ]
    if let alert = text.ranges(of: "remote error: tls: ").first,
      alerts.contains(where: text[alert.upperBound...].hasPrefix)
    {
      self = .byPeer
    } else if text.contains("certificate verify failed: ") {
      self = .byUs
    } else {
      return nil
    }
  }
}
