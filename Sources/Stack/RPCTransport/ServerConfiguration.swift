public import HTTP2

/// Limits and times of a server's connections.
public struct ServerConfiguration: Sendable {
  public var http2 = HTTP2Settings()
  /// Connections of all listeners at once; more are told so and closed as soon as they are accepted.
  public var maxConnections = 10_000
  /// Connections of one listener, and of one source address (an IPv4 address, the /64 of an IPv6 one).
  public var maxConnectionsPerListener = Int.max
  public var maxConnectionsPerSource = Int.max
  /// Of the connections, how many are kept for each listener: no other listener's can use them up.
  /// All reserves together are at most half of the connections.
  public var reservedConnections = 0
  /// Connections of one listener that do not speak HTTP/2 yet; a source address may have a quarter of
  /// them. Beyond that the oldest one is ended, once it is older than a second; until then the next ones
  /// wait in the kernel's queue.
  public var maxHandshakes = Int.max
  /// Request bytes kept in memory for the calls of one connection, and of all of them: calls that
  /// would need more end with RESOURCE_EXHAUSTED. Half of all is divided among the listeners, for each to have its own
  /// share, and a connection that keeps 16 KiB at most counts for nothing.
  public var heldBytesPerConnection = 32 << 20
  public var heldBytes = 256 << 20
  /// Response bytes that wait for one connection's peer to take them, and those of all connections.
  /// Responses that come on top of that are dropped: their streams end with ENHANCE_YOUR_CALM, which
  /// gRPC calls RESOURCE_EXHAUSTED.
  public var waitingBytesPerConnection = 64 << 20
  public var waitingBytes = 512 << 20
  /// What may wait of answers that are no calls' (pages, metrics) for one TLS connection whose client could have shown a
  /// certificate and has not. All such clients together fill a quarter of `waitingBytes` at most. Nil: as for all others.
  public var anonymousWaitingBytesPerConnection: Int?
  /// How long a peer may take nothing at all of what waits for it on the socket until the connection is closed, and how
  /// long an answer that is no call's may wait for the peer's credit until its stream is reset.
  public var stallTimeout: Duration = .seconds(60)
  /// The same when the connection has been drained but for that. It is looked as often as this.
  public var drainStallTimeout: Duration = .seconds(5)
  /// How long a peer may take for TLS and its HTTP/2 preface, and for one header block.
  public var handshakeTimeout: Duration = .seconds(10)
  /// How long no byte may come of a request that has to be whole before anything is done with it, until it is ended with
  /// DEADLINE_EXCEEDED; a quarter more at most. Streams of requests may be silent.
  public var requestStallTimeout: Duration = .seconds(40)
  /// A connection without calls is drained after this time; nil keeps it.
  public var maxIdle: Duration?
  /// The same for a TLS connection whose client could have shown a certificate and has not; nil: `maxIdle` alone.
  public var maxAnonymousIdle: Duration?
  /// A connection is drained at this age, give or take a tenth; nil keeps it.
  public var maxAge: Duration?
  /// How long calls may go on after that; nil lets them finish.
  public var maxAgeGrace: Duration?
  /// How long a connection may be silent before it is asked for a sign of life, and how long the
  /// answer may take (gRFC A9).
  public var keepaliveInterval: Duration = .seconds(7200)
  public var keepaliveTimeout: Duration = .seconds(20)
  /// PINGs closer together than this, or 9 s while calls are under way, count as abuse; the
  /// third ends the connection with ENHANCE_YOUR_CALM. Each HEADERS and DATA frame that leaves forgives
  /// (gRFC A8).
  public var minimumPingInterval: Duration = .seconds(300)
  /// Event loops; 0 means one for each processor.
  public var eventLoops = 0

  public init() {}

  var connectionRules: ConnectionLedger.Rules {
    ConnectionLedger.Rules(
      total: maxConnections, perListener: maxConnectionsPerListener, reserve: reservedConnections,
      perSource: maxConnectionsPerSource)
  }

  /// Calls that a client may have under way at once on one connection.
  public var maxConcurrentStreams: Int {
    get { Int(http2.maxConcurrentStreams) }
    set { http2.maxConcurrentStreams = UInt32(clamping: newValue) }
  }

  /// The largest header block of a request, in bytes as RFC 9113 section 6.5.2 counts them.
  public var maxHeaderBytes: Int {
    get { Int(http2.maxHeaderListBytes) }
    set { http2.maxHeaderListBytes = UInt32(clamping: newValue) }
  }
}
