public import Access
import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema

/// What the handlers need to know of who may call.
public struct AccessServing: Sendable {
  let desk: AccessDesk
  let refusals: RefusalTrail
  /// The CA that the server's own certificate leads to, PEM; empty when it is not omnid's own.
  let serverCA: @Sendable () -> String
  /// Where callers from elsewhere find the server.
  let endpoints: @Sendable () -> [String]
  /// Told of a grant that was revoked.
  let revoked: @Sendable (_ id: String) -> Void

  public init(
    desk: AccessDesk, refusals: RefusalTrail, serverCA: @escaping @Sendable () -> String,
    endpoints: @escaping @Sendable () -> [String],
    revoked: @escaping @Sendable (_ id: String) -> Void
  ) {
    self.desk = desk
    self.refusals = refusals
    self.serverCA = serverCA
    self.endpoints = endpoints
    self.revoked = revoked
  }
}

extension ManagementHandlers {
  /// How long what is issued is valid when nothing else is asked for.
  private static let usualAccess = Duration.seconds(8 * 3600)

  func issueCertificate(
    _ request: IssueCertificateRequest, requester: Requester
  ) async throws(RPCError) -> IssueCertificateResponse {
    let validity = try accessValidity(request.ttl)
    let (certificate, grant) = try await askingDesk { () async throws(AccessError) in
      try await access.desk.issueCertificate(
        request.certificateRequest, name: request.name, role: Role(request.role),
        validity: validity, requester: requester.name)
    }
    requester.record.note(grant)
    var response = IssueCertificateResponse()
    response.grant = Schema.AccessGrant(grant)
    response.certificate = certificate.pem
    response.serverCA = access.serverCA()
    response.endpoints = access.endpoints()
    return response
  }

  func issueToken(
    _ request: IssueTokenRequest, requester: Requester
  ) async throws(RPCError) -> IssueTokenResponse {
    let validity = try accessValidity(request.ttl)
    let (token, grant) = try await askingDesk { () async throws(AccessError) in
      try await access.desk.issueToken(
        name: request.name, role: Role(request.role), clusters: request.clusters,
        validity: validity, requester: requester.name)
    }
    requester.record.note(grant)
    var response = IssueTokenResponse()
    response.grant = Schema.AccessGrant(grant)
    response.token = token
    response.serverCA = access.serverCA()
    response.endpoints = access.endpoints()
    return response
  }

  func listAccess(_ request: ListAccessRequest) async throws(RPCError) -> ListAccessResponse {
    guard request.pageSize >= 0 else {
      throw .badRequest([ArgumentViolation("page_size", "must not be negative")])
    }
    let limit = request.pageSize == 0 ? 50 : min(Int(request.pageSize), 1000)
    let (grants, hasMore) = try await askingDesk { () async throws(AccessError) in
      try await access.desk.grants(after: request.pageToken, limit: limit)
    }
    var response = ListAccessResponse()
    response.grants = grants.map { Schema.AccessGrant($0) }
    if hasMore { response.nextPageToken = grants.last?.id ?? "" }
    return response
  }

  func revokeAccess(
    _ request: RevokeAccessRequest, requester: Requester
  ) async throws(RPCError) -> RevokeAccessResponse {
    let (grant, ended) = try await askingDesk { () async throws(AccessError) in
      try await access.desk.revoke(
        request.id, isForeign: request.foreignSerial, requester: requester.name)
    }
    requester.record.note(.grant, grant.id)
    access.revoked(grant.id)
    var response = RevokeAccessResponse()
    response.grant = Schema.AccessGrant(grant)
    response.endedCalls = Int32(clamping: ended)
    return response
  }

  private func accessValidity(_ ttl: ProtoDuration?) throws(RPCError) -> Duration {
    guard let ttl else { return Self.usualAccess }
    return try duration(ttl, "ttl")
  }

  private func askingDesk<Answer>(
    _ question: () async throws(AccessError) -> Answer
  ) async throws(RPCError) -> Answer {
    do throws(AccessError) { return try await question() } catch { throw RPCError(error) }
  }
}

extension CallRecord {
  /// What lets a caller in from now on, not the credential itself.
  fileprivate func note(_ grant: Access.AccessGrant) {
    note(.grant, grant.id)
    if grant.kind == .certificate { note(.serial, grant.id) }
    note(
      credentialOf: grant.name, roles: grant.role.map { [$0.name] } ?? [], from: grant.issuedAt,
      to: grant.expiresAt)
  }
}

// MARK: - Words of the schema

extension Role {
  /// Nil for none, and for one that a newer schema alone knows.
  init?(_ role: AccessRole) {
    switch role {
    case .reader: self = .reader
    case .operator: self = .operator
    case .admin: self = .admin
    default: return nil
    }
  }
}

extension AccessRole {
  init(_ role: Role?) {
    switch role {
    case .reader: self = .reader
    case .operator: self = .operator
    case .admin: self = .admin
    case nil: self = .unspecified
    }
  }
}

extension Schema.AccessGrant {
  init(_ grant: Access.AccessGrant) {
    self.init()
    id = grant.id
    kind = grant.kind == .certificate ? .certificate : .token
    name = grant.name
    role = AccessRole(grant.role)
    clusters = grant.clusters
    issuedAt = Timestamp(grant.issuedAt)
    // What another CA has issued is on record without an end.
    if grant.role != nil { expiresAt = Timestamp(grant.expiresAt) }
    issuedBy = grant.issuedBy
    revokedAt = grant.revokedAt.map { Timestamp($0) }
    revokedBy = grant.revokedBy
  }
}

// MARK: - What the audit log tells

extension IssueCertificateRequest: AuditedRequest {
  var cluster: String { "" }
  var auditedFields: [(name: String, value: String)] {
    [("name", name), ("role", Role(role)?.name ?? ""), ("ttl", AuditText.seconds(ttl))]
  }
}

extension IssueCertificateResponse: AuditedResponse {
  var auditedOutcome: String { grant?.auditText ?? "" }
}

extension IssueTokenRequest: AuditedRequest {
  var cluster: String { "" }
  var auditedFields: [(name: String, value: String)] {
    [
      ("name", name), ("role", Role(role)?.name ?? ""), ("ttl", AuditText.seconds(ttl)),
      ("clusters", clusters.prefix(64).joined(separator: ",")),
    ]
  }
}

extension IssueTokenResponse: AuditedResponse {
  var auditedOutcome: String { grant?.auditText ?? "" }
}

extension RevokeAccessRequest: AuditedRequest {
  var cluster: String { "" }
  var auditedFields: [(name: String, value: String)] {
    [("id", id), ("foreign_serial", AuditText.flag(foreignSerial))]
  }
}

extension RevokeAccessResponse: AuditedResponse {
  var auditedOutcome: String { "\(endedCalls) streams under way were ended" }
}

extension Schema.AccessGrant {
  /// `certificate 5e71c0de of alice, operator, until 2026-11-29T12:00:00Z`.
  fileprivate var auditText: String {
    let until = expiresAt.map { ", until \(Instant(secondsSince1970: $0.seconds))" } ?? ""
    return "\(kind == .token ? "token" : "certificate") \(id) of \(name), "
      + "\(Role(role)?.name ?? "no role")\(until)"
  }
}
