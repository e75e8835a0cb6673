public import HTTP2

/// Limits and times of a server's connections.
public struct ServerConfiguration: Sendable {
  public var http2 = HTTP2Settings()
  /// Connections taken at once; more are closed as soon as they are accepted.
  public var maxConnections = 10_000
  /// Request bytes kept in memory for the calls of one connection, and of all of them: calls that
  /// would need more end with RESOURCE_EXHAUSTED.
  public var heldBytesPerConnection = 32 << 20
  public var heldBytes = 256 << 20
  /// How long a peer may take for TLS and its HTTP/2 preface.
  public var handshakeTimeout: Duration = .seconds(10)
  /// Event loops; 0 means one for each processor.
  public var eventLoops = 0

  public init() {}
}
