/// Who is at the other end of a connection, as the transport has established it.
public struct Peer: Sendable {
  /// The process at the other end of a Unix socket (`SO_PEERCRED`).
  public struct Process: Sendable, Equatable {
    public var userID: UInt32
    public var groupID: UInt32
    public var processID: Int32

    public init(userID: UInt32, groupID: UInt32, processID: Int32) {
      self.userID = userID
      self.groupID = groupID
      self.processID = processID
    }
  }

  /// `unix:` or `host:port`, for logs.
  public var address: String
  /// The local address the connection was accepted on, such as `127.0.0.1:50000`.
  public var localAddress: String
  /// The client's certificate chain, DER, leaf first; empty without TLS or without a certificate.
  /// Whether it was verified depends on the listener's TLS configuration.
  public var certificates: [[UInt8]]
  public var process: Process?

  public init(
    address: String, localAddress: String = "", certificates: [[UInt8]] = [],
    process: Process? = nil
  ) {
    self.address = address
    self.localAddress = localAddress
    self.certificates = certificates
    self.process = process
  }
}
