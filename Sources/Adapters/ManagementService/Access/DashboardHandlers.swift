public import Access
import Orchestrator
import ProtoCodec
public import RPC
import Rotation
import Schema

/// What the handlers need to know of the dashboard.
public struct DashboardServing: Sendable {
  let sessions: DashboardSessions
  /// The release of the server.
  let version: String
  /// SHA-256 of the certificate that the server presents.
  let certificateFingerprint: @Sendable () -> String
  /// What sets a session's cookie, and keeps it for so many seconds.
  let cookie: @Sendable (_ secret: String, _ seconds: Int64) -> Metadata
  /// Whether a call comes from the dashboard's own page.
  let isFromOwnPage: @Sendable (ServerCall) -> Bool

  public init(
    sessions: DashboardSessions, version: String,
    certificateFingerprint: @escaping @Sendable () -> String,
    cookie: @escaping @Sendable (_ secret: String, _ seconds: Int64) -> Metadata,
    isFromOwnPage: @escaping @Sendable (ServerCall) -> Bool
  ) {
    self.sessions = sessions
    self.version = version
    self.certificateFingerprint = certificateFingerprint
    self.cookie = cookie
    self.isFromOwnPage = isFromOwnPage
  }
}

extension ManagementHandlers {
  func registerDashboard(in router: inout ServiceRouter) {
    changeAs(ManagementServiceMethods.createDashboardLink, in: &router) {
      handlers, _, caller, _ in try handlers.createDashboardLink(caller)
    }
    router.handle(ManagementServiceMethods.openDashboardSession) { request, call in
      try await openDashboardSession(request, call)
    }
    // Whoever calls it need not be known.
    router.limit(
      ManagementServiceMethods.openDashboardSession,
      MethodLimits(requestMessageBytes: 1024, timeout: .seconds(10)))
    router.handle(ManagementServiceMethods.getDashboardSession) {
      (_: GetDashboardSessionRequest, call) in
      var response = GetDashboardSessionResponse()
      response.caller = DashboardCaller(try caller(call))
      response.serverVersion = dashboard.version
      return response
    }
    changeAs(ManagementServiceMethods.closeDashboardSession, in: &router) {
      handlers, _, caller, call in
      if let session = caller.session { handlers.dashboard.sessions.end(session) }
      call.addInitialMetadata(handlers.dashboard.cookie("", 0))
      return CloseDashboardSessionResponse()
    }
  }

  private func createDashboardLink(
    _ caller: Caller
  ) throws(RPCError) -> CreateDashboardLinkResponse {
    let hosts = access.endpoints().compactMap { endpoint in
      endpoint.hasPrefix("tls:") ? String(endpoint.dropFirst("tls:".count)) : nil
    }
    guard !hosts.isEmpty else { throw .noTLSListener }
    let link: (code: String, expiresAt: Instant)
    do throws(AccessError) { link = try dashboard.sessions.makeLink(for: caller) } catch {
      throw RPCError(error)
    }
    var response = CreateDashboardLinkResponse()
    response.urls = hosts.map { "https://\($0)/login#\(link.code)" }
    response.expiresAt = Timestamp(link.expiresAt)
    response.serverCertificateFingerprint = dashboard.certificateFingerprint()
    response.serverCA = access.serverCA()
    return response
  }

  private func openDashboardSession(
    _ request: OpenDashboardSessionRequest, _ call: ServerCall
  ) async throws(RPCError) -> OpenDashboardSessionResponse {
    let method = ManagementServiceMethods.openDashboardSession.name
    guard dashboard.isFromOwnPage(call), let creator = dashboard.sessions.redeem(request.code)
    else {
      await access.refusals.note(
        caller: "unknown \(call.peer.address)", key: "unknown", method: method,
        code: RPCError.badLink.code.name,
        message: "the link is none of this server, was used, is too old, or comes from another page"
      )
      throw .badLink
    }
    let event = AuditEvent(caller: creator.name, method: method, cluster: "", request: "")
    let begun = try await asking { () async throws(OrchestratorError) in
      try await audit.begin(event)
    }
    call.beginRecord().note(.audit, Int64(clamping: begun.index))
    let opened: (secret: String, session: DashboardSession)
    do throws(AccessError) { opened = try dashboard.sessions.begin(for: creator) } catch {
      let error = RPCError(error)
      await audit.end(begun, code: error.code.name, message: error.message)
      throw error
    }
    await audit.end(
      begun, code: StatusCode.ok.name,
      message:
        "session \(opened.session.id) from \(call.peer.address), until \(opened.session.endsAt)")
    let seconds = DashboardSessions.sessionValidity.components.seconds
    call.addInitialMetadata(dashboard.cookie(opened.secret, seconds))
    var response = OpenDashboardSessionResponse()
    response.caller = DashboardCaller(opened.session.caller)
    return response
  }
}

extension DashboardCaller {
  init(_ caller: Caller) {
    self.init()
    name = caller.name
    role = AccessRole(caller.role)
    clusters = (caller.clusters ?? []).sorted()
    expiresAt = caller.expiresAt.map { Timestamp(Instant(secondsSince1970: $0)) }
    session = caller.session != nil
  }
}

// MARK: - What the audit log tells

extension CreateDashboardLinkRequest: AuditedRequest {
  var cluster: String { "" }
  /// Whoever is bound to clusters can have a link, which is bound to the same.
  var isOfCaller: Bool { true }
  var auditedFields: [(name: String, value: String)] { [] }
}

extension CreateDashboardLinkResponse: AuditedResponse {
  var auditedOutcome: String {
    expiresAt.map { "a link until \(Instant(secondsSince1970: $0.seconds))" } ?? ""
  }
}

extension CloseDashboardSessionRequest: AuditedRequest {
  var cluster: String { "" }
  var isOfCaller: Bool { true }
  var auditedFields: [(name: String, value: String)] { [] }
}
