/// Limits and behaviour of the RPC layer of a server.
public struct CallLimits: Sendable {
  /// The largest request message taken, in bytes, after decompression. 4 MiB as in other gRPC
  /// implementations.
  public var requestMessageBytes = 4 << 20
  /// The largest response message sent, in bytes.
  public var responseMessageBytes = Int(Int32.max)
  /// Undelivered request bytes per call above which no flow-control credit is returned.
  public var requestBufferBytes = 64 << 10
  /// Unsent response bytes per call above which a writer is suspended. Less than 16 KiB counts as
  /// that: it is where a writer that waits goes on.
  public var responseBufferBytes = 64 << 10 {
    didSet { responseBufferBytes = max(responseBufferBytes, 16 << 10) }
  }

  /// Response messages shorter than this are not compressed, in bytes.
  public var compressionThresholdBytes = 1024

  public init() {}
}
