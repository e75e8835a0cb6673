internal import Glibc
internal import Platform
internal import RPCTransport

/// Where the server is.
enum ServerAddress {
  /// What `--endpoint` and `OMNI_ENDPOINT` may say: `unix:PATH`, `unix-abstract:NAME`, `tls:HOST:PORT`, or an absolute
  /// path.
  static func parse(_ text: String) throws(InvalidValue) -> Endpoint {
    if text.hasPrefix("/") { return .unix(path: text) }
    if isOmnis(text) {
      throw InvalidValue(
        reason:
          "holds '\(text)', an address as Sidero Omni's omnictl takes it: this omnictl has the same name and "
          + "variables, and talks to omnid; write unix:PATH or tls:HOST:PORT, or leave it unset")
    }
    guard let endpoint = Endpoint(text) else {
      throw InvalidValue(
        reason: "is written unix:PATH, unix-abstract:NAME or tls:HOST:PORT, not '\(text)'")
    }
    if case .plaintext = endpoint {
      throw InvalidValue(
        reason: "must be encrypted: tls:HOST:PORT, or a socket of this machine, not '\(text)'")
    }
    return endpoint
  }

  /// Whether it is how Sidero Omni writes its endpoints: a URL, as in `https://omni.example.org:443`.
  private static func isOmnis(_ text: String) -> Bool {
    let lower = text.lowercased()
    return ["https://", "http://", "grpc://", "grpcs://"].contains { lower.hasPrefix($0) }
      || lower.hasSuffix(".omni.siderolabs.io") || lower.contains(".omni.siderolabs.io:")
  }

  /// Where omnid listens when it is told nothing else.
  static func standard(
    userID: UInt32, variable: @escaping @Sendable (String) -> String?
  ) -> Endpoint {
    .unix(path: StandardPlaces(userID: userID, variable: variable).socket)
  }

  enum Obstacle: Equatable {
    case missing, forbidden, noListener
  }

  /// What stands in the way of a connection to a Unix socket that could not be made.
  static func obstacle(_ endpoint: Endpoint) -> Obstacle {
    guard case .unix(let path) = endpoint else { return .noListener }
    if access(path, R_OK | W_OK) == 0 { return .noListener }
    switch errno {
    case ENOENT, ENOTDIR: return .missing
    case EACCES, EPERM: return .forbidden
    default: return .noListener
    }
  }
}
