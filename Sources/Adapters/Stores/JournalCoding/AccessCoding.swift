public import Access
public import Orchestrator
import ProtoCodec
import Rotation
import Schema

extension AccessContents {
  /// The id of the record that holds the CA; no grant's, whose ids have no dot.
  public static let authorityID = "api.ca"

  /// - Parameter records: each with its id.
  /// - Throws: `.corrupt`.
  public init(journal records: [(id: String, record: [UInt8])]) throws(StoreError) {
    self.init()
    for (id, bytes) in records {
      let record = try decoded(Journal.AccessRecord.self, bytes)
      guard record.id == id else { throw .unreadable("access record \(id)") }
      if id == Self.authorityID {
        authority = SealedAPIAuthority(
          certificatePEM: record.certificatePEM, sealedKey: record.sealedKey)
      } else {
        grants.append(try Access.AccessGrant(record))
      }
    }
  }
}

extension SealedAPIAuthority {
  public func journalBytes() -> [UInt8] {
    var record = Journal.AccessRecord()
    record.id = AccessContents.authorityID
    record.certificatePEM = certificatePEM
    record.sealedKey = sealedKey
    return record.serialized()
  }
}

extension Access.AccessGrant {
  public func journalBytes() -> [UInt8] {
    var record = Journal.AccessRecord()
    record.id = id
    record.kind = kind == .certificate ? .certificate : .token
    record.name = name
    record.role = Journal.AccessRole(rawValue: role.map { Int32($0.rawValue) + 1 } ?? 0)
    record.clusters = clusters
    record.issuedAt = Timestamp(issuedAt)
    record.expiresAt = Timestamp(expiresAt)
    record.issuedBy = issuedBy
    record.revokedAt = revokedAt.map { Timestamp($0) }
    record.revokedBy = revokedBy
    record.tokenHash = tokenHash
    return record.serialized()
  }

  init(_ record: Journal.AccessRecord) throws(StoreError) {
    let kind: Kind
    switch record.kind {
    case .certificate: kind = .certificate
    case .token: kind = .token
    default: throw .unreadable("access kind \(record.kind.rawValue)")
    }
    let role = Role(rawValue: Int(record.role.rawValue) - 1)
    guard role != nil || record.role == .unspecified else {
      throw .unreadable("access role \(record.role.rawValue)")
    }
    self.init(
      id: record.id, kind: kind, name: record.name, role: role, clusters: record.clusters,
      issuedAt: try record.issuedAt.required("issued_at").instant,
      expiresAt: try record.expiresAt.required("expires_at").instant, issuedBy: record.issuedBy,
      revokedAt: record.revokedAt?.instant, revokedBy: record.revokedBy,
      tokenHash: record.tokenHash)
  }
}
