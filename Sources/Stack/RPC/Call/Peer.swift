/// Who is at the other end of a connection, as the transport has established it.
public struct Peer: Sendable {
  /// The process at the other end of a Unix socket (`SO_PEERCRED`).
  public struct Process: Sendable, Equatable {
    public var userID: UInt32
    public var groupID: UInt32
    public var processID: Int32
    /// Its supplementary groups (`SO_PEERGROUPS`).
    public var groups: [UInt32]

    public init(userID: UInt32, groupID: UInt32, processID: Int32, groups: [UInt32] = []) {
      self.userID = userID
      self.groupID = groupID
      self.processID = processID
      self.groups = groups
    }
  }

  /// `unix:` or `host:port`, for logs.
  public var address: String { facts.address }
  /// The local address the connection was accepted on, such as `127.0.0.1:50000`.
  public var localAddress: String { facts.localAddress }
  /// The client's certificate chain, DER, leaf first; empty without TLS or without a certificate.
  /// Whether it was verified depends on the listener's TLS configuration.
  public var certificates: [[UInt8]] { facts.certificates }
  public var process: Process? { facts.process }

  /// Shared, since every call of a connection holds its peer.
  private let facts: Facts
  private final class Facts: Sendable {
    let address: String
    let localAddress: String
    let certificates: [[UInt8]]
    let process: Process?

    init(
      address: String, localAddress: String, certificates: [[UInt8]], process: Process?
    ) {
      self.address = address
      self.localAddress = localAddress
      self.certificates = certificates
      self.process = process
    }
  }

  public init(
    address: String, localAddress: String = "", certificates: [[UInt8]] = [],
    process: Process? = nil
  ) {
    facts = Facts(
      address: address, localAddress: localAddress, certificates: certificates, process: process)
  }
}
