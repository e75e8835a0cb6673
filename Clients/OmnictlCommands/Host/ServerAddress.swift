internal import Glibc
internal import Platform
internal import RPCTransport

/// Where the server is.
enum ServerAddress {
  /// What `--endpoint` and `OMNI_ENDPOINT` may say: `unix:PATH`, or an absolute path.
  static func parse(_ text: String) throws(InvalidValue) -> Endpoint {
    if text.hasPrefix("/") { return .unix(path: text) }
    guard let endpoint = Endpoint(text) else {
      throw InvalidValue(reason: "is written unix:PATH, not '\(text)'")
    }
    guard case .unix = endpoint else {
      throw InvalidValue(reason: "must be a Unix socket, unix:PATH: this client holds no identity")
    }
    return endpoint
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
