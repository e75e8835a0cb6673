public import HTTP2

/// Limits and times of a client's connection.
public struct ChannelConfiguration: Sendable {
  public var http2 = HTTP2Settings()
  /// How long connecting may take, with TLS and the server's HTTP/2 settings.
  public var connectTimeout: Duration = .seconds(20)
  /// How long sent bytes may stay unacknowledged before the connection counts as lost.
  public var unacknowledgedTimeout: Duration = .seconds(20)

  public init() {}
}
