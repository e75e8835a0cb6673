import Orchestrator
import RPC

/// Why a call to a machine did not give what it should.
enum TalosFailure: Error {
  /// No connection, no answer in time, or the connection broke; with the connection's end, if there was
  /// one of this host's own.
  case unreachable(String, ConnectionEnd? = nil)
  /// The machine does not accept our certificate, and has said so by a TLS alert.
  case rejected(String, TLSFailure)
  /// We do not accept the machine's certificate.
  case untrusted(String, TLSFailure)
  /// Another machine than the one that was meant answers at the address.
  case misdirected(String)
  /// The machine answered with a status that is no success.
  case status(StatusCode, String)
  /// The machine answered, but with nothing that can be used.
  case unusable(DriverError)

  /// The cause of the error decides, never its words: a peer can say what it likes in a status.
  ///
  /// - Parameter action: what was tried, for the message: `read the members`.
  init(_ error: RPCError, _ action: String) {
    let said = PeerText.clean(error.message)
    switch error.code {
    case .unavailable:
      let text = "could not \(action): \(said)"
      switch error.cause?.tlsFailure {
      case .certificateRefused(let alert)?:
        self = .rejected(text, .certificateRefused(alert: alert))
      case .peerNotTrusted(let fault, let presented)?:
        self = .untrusted(text, .peerNotTrusted(fault, presented))
      case .alert?, .peerFault?, .ownFault?, nil: self = .unreachable(text, error.cause)
      }
    case .cancelled, .deadlineExceeded:
      self = .unreachable("could not \(action): \(error.code.name) \(said)")
    default: self = .status(error.code, "could not \(action): \(error.code.name) \(said)")
    }
  }

  var message: String {
    switch self {
    case .unreachable(let message, _), .rejected(let message, _), .untrusted(let message, _),
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

  /// Whether nothing shows that a machine of the cluster is there: whoever refuses a client has shown a certificate of the
  /// cluster's, and so has one whose certificate is out of its time or names another host; whoever answers with a status has
  /// let the client in.
  var isNobodyOfOurs: Bool {
    switch self {
    case .unreachable, .misdirected: true
    case .untrusted: !isAboutTime && !isWrongName
    case .rejected, .status, .unusable: false
    }
  }

  /// Whether a control plane that passes calls on has said that TLS, and not the network, has failed between it and the
  /// machine. That is a peer's word: it proves nothing, and only ever makes somebody be waited for.
  var tellsOfTLS: Bool {
    guard case .unreachable(let message, _) = self else { return false }
    return ["tls: ", "x509: ", "authentication handshake failed: "].contains {
      message.contains($0)
    }
  }

  /// Whether one of the two sides does not accept the other's certificate.
  var isAboutTrust: Bool {
    switch self {
    case .rejected, .untrusted: true
    case .unreachable, .misdirected, .status, .unusable: false
    }
  }

  /// Whether the peer took the connection and then cut it off without a word. Some TLS servers refuse a
  /// certificate that way; machines in trouble do it as well.
  var isCutOff: Bool {
    guard case .unreachable(_, let end?) = self else { return false }
    return end.single.allSatisfy { if case .cut = $0 { true } else { false } }
  }

  /// Whether there was no connection at all, as behind a firewall.
  var isNoConnection: Bool {
    if case .unreachable = self { !isCutOff } else { false }
  }

  /// Whether the machine's certificate comes from an authority that we do not know, rather than being out of
  /// its time or somebody else's.
  var isUnknownIssuer: Bool {
    if case .untrusted(_, let failure) = self { failure.fault == .unknownIssuer } else { false }
  }

  /// Whether the machine's certificate does not name the address that was dialled.
  var isWrongName: Bool {
    if case .untrusted(_, let failure) = self { failure.fault == .wrongName } else { false }
  }

  /// Whether a certificate that was refused, on either side, points to a clock that is wrong.
  var isAboutTime: Bool {
    switch self {
    case .rejected(_, let failure), .untrusted(_, let failure): failure.isAboutTime
    case .unreachable, .misdirected, .status, .unusable: false
    }
  }

  /// Whether nobody has answered.
  var isSilent: Bool {
    if case .unreachable = self { true } else { false }
  }

  /// Whether no connection came about, whoever had asked: nobody listens, or nothing comes back.
  var isNoContact: Bool {
    guard case .unreachable(_, let end) = self else { return false }
    return (end?.single ?? []).allSatisfy {
      switch $0 {
      case .unresolved, .refused, .unreachable, .timedOut: true
      case .tls, .foreignProtocol, .cut, .goAway, .protocolError, .closed, .addresses: false
      }
    }
  }

  var isPermissionDenied: Bool {
    if case .status(.permissionDenied, _) = self { true } else { false }
  }

  var driverError: DriverError {
    switch self {
    case .unreachable(let message, _): DriverError(.unreachable, message)
    case .rejected(let message, _), .untrusted(let message, _):
      DriverError(isAboutTime ? .clock : .unauthenticated, message)
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
