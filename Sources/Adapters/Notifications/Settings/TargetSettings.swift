public import Crypto

/// Whom to tell, of what, and how to reach them.
public struct TargetSettings: Sendable, Equatable {
  /// Of lower-case letters, digits and `-`.
  public var name: String
  /// `https:`, or `http:` to an address of this machine.
  public var url: String
  /// Signs what is sent.
  public var secret: SecretBytes
  /// The CAs that the target's certificate is verified by, a PEM file; nil: those that the system trusts.
  public var authorityFile: String?
  /// What is sent; empty: everything.
  public var types: Set<EventType> = []
  /// Of which clusters; empty: of all.
  public var clusters: Set<String> = []
  /// A rotation that waits for less is not told of.
  public var patience = Duration.seconds(300)
  /// The HTTP proxy that leads to the target; nil: none does, whatever the environment says.
  public var proxy: String?

  public init(name: String, url: String, secret: SecretBytes) {
    self.name = name
    self.url = url
    self.secret = secret
  }

  public func wants(_ type: EventType, of cluster: String) -> Bool {
    (types.isEmpty || types.contains(type)) && (clusters.isEmpty || clusters.contains(cluster))
  }

  public static func == (a: Self, b: Self) -> Bool {
    a.name == b.name && a.url == b.url && a.secret.isEqual(to: b.secret)
      && a.authorityFile == b.authorityFile && a.types == b.types && a.clusters == b.clusters
      && a.patience == b.patience && a.proxy == b.proxy
  }
}

/// Everything that the file of targets says.
public struct NotificationSettings: Sendable, Equatable {
  /// What is sent names this as its origin, a URI; empty: `urn:omnid:`.
  public var source = ""
  public var targets: [TargetSettings] = []

  public init() {}

  /// How many targets there may be.
  public static let targetLimit = 16
}
