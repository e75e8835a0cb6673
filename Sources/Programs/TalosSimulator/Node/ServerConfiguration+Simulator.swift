internal import RPCTransport

extension ServerConfiguration {
  /// One event loop for each socket is enough for a machine that does not exist.
  static var simulator: ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.eventLoops = 1
    return configuration
  }
}
