public import Orchestrator
public import Rotation

/// Something that lets its holder call from elsewhere, and can be taken back.
public struct AccessGrant: Sendable, Hashable {
  public enum Kind: Sendable, Hashable, CaseIterable {
    /// A client certificate; the grant's id is its serial number in lower-case hexadecimal.
    case certificate
    /// A service-account token, of which only a hash is kept.
    case token
  }

  public var id: String
  public var kind: Kind
  /// Whose it is, in the words of whoever issued it.
  public var name: String
  /// Nil for the certificate of another CA that was revoked by its serial number.
  public var role: Role?
  /// The clusters that it is bound to; empty: all.
  public var clusters: [String]
  public var issuedAt: Instant
  public var expiresAt: Instant
  /// The caller that had it issued.
  public var issuedBy: String
  public var revokedAt: Instant?
  public var revokedBy: String
  /// SHA-256 of a token; empty for a certificate.
  public var tokenHash: [UInt8]

  public init(
    id: String, kind: Kind, name: String, role: Role?, clusters: [String] = [], issuedAt: Instant,
    expiresAt: Instant, issuedBy: String, revokedAt: Instant? = nil, revokedBy: String = "",
    tokenHash: [UInt8] = []
  ) {
    self.id = id
    self.kind = kind
    self.name = name
    self.role = role
    self.clusters = clusters
    self.issuedAt = issuedAt
    self.expiresAt = expiresAt
    self.issuedBy = issuedBy
    self.revokedAt = revokedAt
    self.revokedBy = revokedBy
    self.tokenHash = tokenHash
  }
}

/// The CA that signs omnid's own certificate and those of its clients. Its private key is sealed.
public struct SealedAPIAuthority: Sendable, Hashable {
  public var certificatePEM: String
  public var sealedKey: [UInt8]

  /// What the key is sealed for.
  ///
  /// - Parameter fingerprint: that of the certificate.
  public static func sealingContext(fingerprint: String) -> String { "api ca 1/\(fingerprint)" }

  public init(certificatePEM: String, sealedKey: [UInt8]) {
    self.certificatePEM = certificatePEM
    self.sealedKey = sealedKey
  }
}

/// What a store holds of who may call.
public struct AccessContents: Sendable, Hashable {
  public var authority: SealedAPIAuthority?
  /// In no order.
  public var grants: [AccessGrant]

  public init(authority: SealedAPIAuthority? = nil, grants: [AccessGrant] = []) {
    self.authority = authority
    self.grants = grants
  }
}

/// One change of who may call.
public enum AccessChange: Sendable, Hashable {
  case putAuthority(SealedAPIAuthority)
  /// Puts the grant in place of the one of its id, if there is one.
  case putGrant(AccessGrant)
  case removeGrant(id: String)
}

/// Where it is kept who may call. What has been committed survives the sudden death of the process and of the machine.
public protocol AccessStore: Sendable {
  /// - Throws: `.corrupt` for what somebody else has changed; `.unavailable`.
  func accessContents() async throws(StoreError) -> AccessContents

  /// Makes all changes or none.
  ///
  /// - Throws: `.unavailable` (the changes may have been made all the same), `.corrupt`.
  func commit(_ changes: [AccessChange]) async throws(StoreError)
}
