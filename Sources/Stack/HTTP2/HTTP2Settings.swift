/// What one end of a connection announces, and the limits it puts on its peer.
public struct HTTP2Settings: Sendable {
  /// Streams the peer may have open at once.
  public var maxConcurrentStreams: UInt32 = 1024
  /// Flow-control credit a stream starts with, in bytes.
  public var initialWindowBytes: UInt32 = 256 << 10
  /// Flow-control credit of the connection, in bytes.
  public var connectionWindowBytes: Int32 = 4 << 20
  /// The largest header block taken, in bytes by RFC 9113 section 6.5.2 (32 for each field).
  public var maxHeaderListBytes: UInt32 = 16 << 10
  /// The dynamic table we keep for decoding what the peer sends, in bytes (RFC 7541).
  public var headerTableBytes: UInt32 = 4096
  /// RST_STREAM frames taken at once, and how many more per second: beyond that the connection ends
  /// with ENHANCE_YOUR_CALM (CVE-2023-44487).
  public var streamResetBurst: UInt64 = 1000
  public var streamResetRate: UInt64 = 100
  /// CONTINUATION frames taken after one HEADERS (CVE-2024-28182): twice as many as the largest header block needs in
  /// frames of 16 KiB, and 8 at least.
  public var maxContinuations: Int { max(8, 2 * Int(maxHeaderListBytes) >> 14) }
  /// Frames without use a client may send (PRIORITY, SETTINGS, empty DATA, unknown types, …), each
  /// request forgiving ten, and a tenth of the WINDOW_UPDATE frames it may send while nothing of a
  /// response leaves: beyond that the connection ends with ENHANCE_YOUR_CALM (CVE-2019-9518).
  public var maxIdleFrames: Int = 1000
  /// Answers to PING and SETTINGS that may wait to be sent (floods end the connection).
  public var maxOutboundAcks: Int = 1000
  /// A server takes requests with any `:authority`, also an empty one or none: for Unix sockets, where
  /// it names nothing. All other rules of RFC 9113 section 8 are kept to (`RequestRules`).
  public var takesAnyAuthority = false

  public init() {}
}
