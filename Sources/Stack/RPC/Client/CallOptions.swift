/// What a caller may say of one call.
public struct CallOptions: Sendable {
  /// How long the caller waits, connecting included; nil waits for ever, or for as long as the
  /// deadline of the call that this one is made within.
  public var timeout: Duration?
  /// Custom metadata sent with the request.
  public var metadata: Metadata
  /// The largest response message taken, in bytes.
  public var responseMessageBytes: Int
  /// Wait for a connection rather than fail while there is none.
  public var waitForReady: Bool

  public init(
    timeout: Duration? = nil, metadata: Metadata = Metadata(),
    responseMessageBytes: Int = 4 << 20, waitForReady: Bool = false
  ) {
    self.timeout = timeout
    self.metadata = metadata
    self.responseMessageBytes = responseMessageBytes
    self.waitForReady = waitForReady
  }
}
