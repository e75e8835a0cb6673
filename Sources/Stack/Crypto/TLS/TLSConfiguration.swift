/// What one side of TLS connections presents, trusts and speaks.
public struct TLSConfiguration: Sendable {
  public enum Role: Sendable, Hashable {
    case client
    case server
  }

  /// What is asked of the peer's certificate.
  public enum PeerVerification: Sendable, Hashable {
    /// The peer must present a chain to one of the trust roots.
    case required
    /// A server asks, accepts a client without a certificate, and refuses a bad one. For a client
    /// the same as `required`, since a server always presents one.
    case optional
    /// The peer's certificate is asked for and its possession of the key is proven, but the chain
    /// is not judged: the application does that. (A Kubernetes API server answers 401 instead of
    /// refusing the handshake.)
    case requestUnverified
    /// A server does not ask; a client does not look.
    case none
  }

  public enum Version: Sendable, Hashable {
    case tls12
    case tls13
  }

  public var role: Role
  /// What is presented to the peer; a server needs one.
  ///
  /// A client presents it to every server that asks, also to one whose list of acceptable
  /// authorities does not name its issuer: a refusal is then seen as such, and not as an anonymous
  /// call.
  public var identity: Identity?
  /// The certificates that end a chain. Several may have the same subject and different keys. They
  /// need not be self-signed. A server names their subjects to clients.
  public var trustRoots: [Certificate]
  public var peerVerification: PeerVerification
  /// Application protocols in order of preference, such as `["h2"]`. A server that has some refuses
  /// a client that offers others only; a client that offers none at all is served without.
  public var alpn: [String]
  public var minimumVersion: Version
  public var maximumVersion: Version
  /// For a client: the DNS name (also sent as SNI) or the IP address that the server's certificate
  /// must name in SubjectAltName. Nil: no name is checked. `TLSEngine.init` can give another per
  /// connection.
  public var serverName: String?
  /// For a client: whether the server's certificate has to name `serverName`. False: any certificate that chains to a root
  /// will do, for whoever asks what answers at an address and takes its word for nothing; a DNS name is sent as SNI still.
  public var verifiesName: Bool
  /// The clock by which a peer's certificates are judged, in seconds since 1970, read once for each
  /// connection. Nil: the system's.
  public var clock: (@Sendable () -> Int64)?

  public init(
    role: Role, identity: Identity? = nil, trustRoots: [Certificate] = [],
    peerVerification: PeerVerification = .required, alpn: [String] = [],
    minimumVersion: Version = .tls12, maximumVersion: Version = .tls13, serverName: String? = nil,
    verifiesName: Bool = true, clock: (@Sendable () -> Int64)? = nil
  ) {
    self.role = role
    self.identity = identity
    self.trustRoots = trustRoots
    self.peerVerification = peerVerification
    self.alpn = alpn
    self.minimumVersion = minimumVersion
    self.maximumVersion = maximumVersion
    self.serverName = serverName
    self.verifiesName = verifiesName
    self.clock = clock
  }
}
