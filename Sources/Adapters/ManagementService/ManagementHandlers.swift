public import Access
public import Orchestrator
public import RPC
import Rotation
import Schema

/// The key that signs the reports of rotations.
public struct ReportSigning: Sendable {
  /// SHA-256 of the raw public key, in lower-case hexadecimal.
  public let keyFingerprint: @Sendable () -> String
  let sign: @Sendable (String) throws -> String

  /// - Parameter sign: answers with the text and its signature behind it.
  public init(
    keyFingerprint: @escaping @Sendable () -> String,
    sign: @escaping @Sendable (String) throws -> String
  ) {
    self.keyFingerprint = keyFingerprint
    self.sign = sign
  }
}

/// The handlers of `omni.management.v1.ManagementService`.
///
/// They put what a caller sent into the domain's words, ask the orchestrator, and say its answer in the words of the
/// schema. What may be asked, and every decision about a rotation, is the orchestrator's. One file each holds the words
/// (`Bindings`) and the status codes (`ErrorMapping`).
public struct ManagementHandlers: Sendable {
  let orchestrator: RotationOrchestrator
  let audit: AuditTrail
  let reports: ReportSigning
  let access: AccessServing
  let changeMasterKey: MasterKeyChange
  let dashboard: DashboardServing
  let identify: @Sendable (ServerCall) -> Identification
  let feed = RotationFeed()
  let statusAnswers = StatusAnswers()
  /// Bytes of items after which a page of a list ends early: other gRPC implementations take messages up to 4 MiB unless
  /// told otherwise.
  static let pageBytes = 2 << 20
  /// The largest request of a method that answers for as long as its caller likes, in bytes.
  private static let followerBytes = 4 << 10
  /// Imports, and takings over, that ask their machines at the same time.
  private static let importsAtOnce = 8

  /// - Parameters:
  ///   - audit: where every call is written down that changes something or hands a credential out.
  ///   - reports: signs the reports of rotations.
  ///   - access: who may call, and how that is issued and revoked.
  ///   - dashboard: what browsers are let in by.
  ///   - changeMasterKey: brings the store under another master key.
  ///   - identify: who calls, as recorded with what it starts, and to which clusters the caller is bound. Whether the
  ///     caller's role allows the call, `Authorization` has asked.
  public init(
    orchestrator: RotationOrchestrator, audit: AuditTrail, reports: ReportSigning,
    access: AccessServing, dashboard: DashboardServing,
    changeMasterKey: @escaping MasterKeyChange,
    identify: @escaping @Sendable (ServerCall) -> Identification
  ) {
    self.orchestrator = orchestrator
    self.audit = audit
    self.reports = reports
    self.access = access
    self.changeMasterKey = changeMasterKey
    self.dashboard = dashboard
    self.identify = identify
    orchestrator.observe(feed)
  }

  /// How many watch rotations.
  public var watchers: Int { feed.watches }

  /// Serves every method of the service.
  public func register(in router: inout ServiceRouter) {
    registerReads(in: &router)
    registerDashboard(in: &router)
    change(ManagementServiceMethods.rotateSecret, in: &router) {
      try await $0.rotateSecret($1, requester: $2)
    }
    change(ManagementServiceMethods.abortRotation, in: &router) {
      try await $0.abortRotation($1, requester: $2)
    }
    change(ManagementServiceMethods.continueRotation, in: &router) {
      try await $0.continueRotation($1, requester: $2)
    }
    change(ManagementServiceMethods.adoptRotation, in: &router) {
      try await $0.adoptRotation($1, requester: $2)
    }
    change(ManagementServiceMethods.importCluster, in: &router) { handlers, request, _ in
      try await handlers.importCluster(request)
    }
    // Each asks all machines of a cluster for up to 45 s, and keeps their configurations meanwhile.
    router.limit(
      ManagementServiceMethods.importCluster, MethodLimits(concurrentCalls: Self.importsAtOnce))
    change(ManagementServiceMethods.forgetCluster, in: &router) { handlers, request, _ in
      try await handlers.forgetCluster(request)
    }
    change(ManagementServiceMethods.lockCluster, in: &router) {
      try await $0.lockCluster($1, requester: $2)
    }
    change(ManagementServiceMethods.unlockCluster, in: &router) {
      try await $0.unlockCluster($1, requester: $2)
    }
    change(ManagementServiceMethods.lockMachine, in: &router) {
      try await $0.lockMachine($1, requester: $2)
    }
    change(ManagementServiceMethods.unlockMachine, in: &router) {
      try await $0.unlockMachine($1, requester: $2)
    }
    change(ManagementServiceMethods.clearClusterMark, in: &router) { handlers, request, _ in
      try await handlers.clearClusterMark(request)
    }
    change(ManagementServiceMethods.talosconfig, in: &router) {
      try await $0.talosconfig($1, requester: $2)
    }
    change(ManagementServiceMethods.kubeconfig, in: &router) {
      try await $0.kubeconfig($1, requester: $2)
    }
    change(ManagementServiceMethods.exportRetiredCA, in: &router) { handlers, request, _ in
      try await handlers.exportRetiredCA(request)
    }
    change(ManagementServiceMethods.exportSecrets, in: &router) { handlers, request, _ in
      try await handlers.exportSecrets(request)
    }
    change(ManagementServiceMethods.issueCertificate, in: &router) {
      try await $0.issueCertificate($1, requester: $2)
    }
    change(ManagementServiceMethods.issueToken, in: &router) {
      try await $0.issueToken($1, requester: $2)
    }
    change(ManagementServiceMethods.revokeAccess, in: &router) {
      try await $0.revokeAccess($1, requester: $2)
    }
    change(ManagementServiceMethods.changeMasterKey, in: &router) { handlers, request, _ in
      try await handlers.changeMasterKey(request)
    }
  }

  private func registerReads(in router: inout ServiceRouter) {
    router.handleEncoded(ManagementServiceMethods.getRotationStatus) { request, call in
      _ = try await admit(request.cluster, call)
      return try await getRotationStatus(request)
    }
    read(ManagementServiceMethods.listRotations, in: &router) {
      try await $0.listRotations($1)
    }
    read(ManagementServiceMethods.getRotationReport, in: &router) {
      try await $0.getRotationReport($1)
    }
    read(ManagementServiceMethods.checkCredential, in: &router) {
      try await $0.checkCredential($1)
    }
    // Each asks all machines of a cluster.
    router.limit(ManagementServiceMethods.checkCredential, MethodLimits(concurrentCalls: 16))
    read(ManagementServiceMethods.getCluster, in: &router) { try await $0.getCluster($1) }
    read(ManagementServiceMethods.getTrustBundle, in: &router) { try await $0.getTrustBundle($1) }
    router.handle(ManagementServiceMethods.listClusters) { request, call in
      // Whoever is bound to some clusters sees these.
      try await listClusters(request, of: try caller(call))
    }
    read(ManagementServiceMethods.listAccess, in: &router) { try await $0.listAccess($1) }
    router.handle(ManagementServiceMethods.watchRotationStatus) { request, writer, call in
      // All in one function, and little of it kept: every watcher holds its frame for as long as it watches.
      _ = try await admit(request.cluster, call)
      let channel = try beginWatch(request)
      defer { feed.leave(channel) }
      // Whoever resumes after the newest revision learns that the watch stands before anything changes.
      await call.sendInitialMetadata()
      try await writer.follow(channel.updates, after: request.afterRevision)
    }
    // A request is kept for as long as its stream lasts.
    router.limit(
      ManagementServiceMethods.watchRotationStatus,
      MethodLimits(requestMessageBytes: Self.followerBytes))
    router.handle(ManagementServiceMethods.readAuditLog) { request, writer, call in
      // The log is of all clusters.
      _ = try await admit("", call)
      await call.sendInitialMetadata()
      try await readAuditLog(request) { try await writer.write($0) }
    }
    // Each follower reads the store when something is added.
    router.limit(
      ManagementServiceMethods.readAuditLog,
      MethodLimits(concurrentCalls: 32, requestMessageBytes: Self.followerBytes))
  }

  private func read<Request: ClusterRequest & Sendable, Response: Sendable>(
    _ method: Method<Request, Response>, in router: inout ServiceRouter,
    _ body: @escaping @Sendable (ManagementHandlers, Request) async throws -> Response
  ) {
    router.handle(method) { request, call in
      _ = try await admit(request.cluster, call)
      return try await body(self, request)
    }
  }

  /// A method whose calls are written down, refused ones too.
  private func change<Request: AuditedRequest & Sendable, Response: Sendable>(
    _ method: Method<Request, Response>, in router: inout ServiceRouter,
    _ body:
      @escaping @Sendable (ManagementHandlers, Request, Requester) async throws -> Response
  ) {
    changeAs(method, in: &router) { handlers, request, caller, call in
      try await body(handlers, request, Requester(name: caller.name, record: call.beginRecord()))
    }
  }

  /// The same, for what has to know more of the caller than the name.
  func changeAs<Request: AuditedRequest & Sendable, Response: Sendable>(
    _ method: Method<Request, Response>, in router: inout ServiceRouter,
    _ body:
      @escaping @Sendable (ManagementHandlers, Request, Caller, ServerCall) async throws -> Response
  ) {
    router.handle(method) { request, call in
      let record = call.beginRecord()
      record.note(request)
      guard request.changesSomething else {
        let caller = try caller(call)
        if let error = refusal(request, caller, call) {
          throw await written(error, caller, request.cluster, call)
        }
        return try await body(self, request, caller, call)
      }
      let identity = identify(call).caller
      // Before the log is written to: whoever is refused must not push what others did out of it.
      if let identity, let error = refusal(request, identity, call) {
        throw await written(error, identity, request.cluster, call)
      }
      let event = AuditEvent(
        caller: identity?.name ?? "unknown \(call.peer.address)", method: method.name,
        cluster: request.cluster, request: AuditText.request(request.auditedFields))
      let begun = try await asking { () async throws(OrchestratorError) in
        try await audit.begin(event)
      }
      record.note(.audit, Int64(clamping: begun.index))
      do {
        guard let identity else { throw RPCError.unidentified }
        let response = try await body(self, request, identity, call)
        await audit.end(
          begun, code: StatusCode.ok.name,
          message: (response as? any AuditedResponse)?.auditedOutcome ?? "")
        return response
      } catch {
        let status = error as? RPCError
        await audit.end(
          begun,
          code: status?.code.name
            ?? (error is CancellationError ? StatusCode.cancelled : .unknown).name,
          message: status?.message ?? "")
        throw error
      }
    }
  }
}
