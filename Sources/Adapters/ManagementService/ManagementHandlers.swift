public import Orchestrator
public import RPC
import Rotation
import Schema

/// The key that signs the reports of rotations.
public struct ReportSigning: Sendable {
  /// SHA-256 of the raw public key, in lower-case hexadecimal.
  public let keyFingerprint: String
  let sign: @Sendable (String) throws -> String

  /// - Parameter sign: answers with the text and its signature behind it.
  public init(keyFingerprint: String, sign: @escaping @Sendable (String) throws -> String) {
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
  private let identify: @Sendable (Peer) -> String?
  let feed = RotationFeed()
  let statusAnswers = StatusAnswers()
  /// Bytes of items after which a page of a list ends early: other gRPC implementations take messages up to 4 MiB unless
  /// told otherwise.
  static let pageBytes = 2 << 20

  /// - Parameters:
  ///   - audit: where every call is written down that changes something or hands a credential out.
  ///   - reports: signs the reports of rotations.
  ///   - identify: who is at the other end, as recorded with what it starts. Nil: nobody known; the
  ///     call is refused with UNAUTHENTICATED.
  public init(
    orchestrator: RotationOrchestrator, audit: AuditTrail, reports: ReportSigning,
    identify: @escaping @Sendable (Peer) -> String? = ManagementHandlers.processOwner
  ) {
    self.orchestrator = orchestrator
    self.audit = audit
    self.reports = reports
    self.identify = identify
    orchestrator.observe(feed)
  }

  /// The user that owns the process at the other end of a Unix socket: `uid:1000`.
  public static let processOwner: @Sendable (Peer) -> String? = { peer in
    peer.process.map { "uid:\($0.userID)" }
  }

  /// Serves every method of the service.
  public func register(in router: inout ServiceRouter) {
    registerReads(in: &router)
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
    change(ManagementServiceMethods.forgetCluster, in: &router) { handlers, request, _ in
      try await handlers.forgetCluster(request)
    }
    change(ManagementServiceMethods.lockCluster, in: &router) {
      try await $0.lockCluster($1, requester: $2)
    }
    change(ManagementServiceMethods.unlockCluster, in: &router) { handlers, request, _ in
      try await handlers.unlockCluster(request)
    }
    change(ManagementServiceMethods.lockMachine, in: &router) {
      try await $0.lockMachine($1, requester: $2)
    }
    change(ManagementServiceMethods.unlockMachine, in: &router) { handlers, request, _ in
      try await handlers.unlockMachine(request)
    }
    change(ManagementServiceMethods.clearClusterMark, in: &router) { handlers, request, _ in
      try await handlers.clearClusterMark(request)
    }
    change(ManagementServiceMethods.talosconfig, in: &router) { handlers, request, _ in
      try await handlers.talosconfig(request)
    }
    change(ManagementServiceMethods.kubeconfig, in: &router) { handlers, request, _ in
      try await handlers.kubeconfig(request)
    }
    change(ManagementServiceMethods.exportRetiredCA, in: &router) { handlers, request, _ in
      try await handlers.exportRetiredCA(request)
    }
    change(ManagementServiceMethods.exportSecrets, in: &router) { handlers, request, _ in
      try await handlers.exportSecrets(request)
    }
  }

  private func registerReads(in router: inout ServiceRouter) {
    router.handleEncoded(ManagementServiceMethods.getRotationStatus) { request, call in
      _ = try caller(call)
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
    read(ManagementServiceMethods.listClusters, in: &router) { try await $0.listClusters($1) }
    router.handle(ManagementServiceMethods.watchRotationStatus) { request, writer, call in
      // All in one function, and little of it kept: every watcher holds its frame for as long as it watches.
      let channel = try beginWatch(request, call)
      defer { feed.leave(channel) }
      // Whoever resumes after the newest revision learns that the watch stands before anything changes.
      await call.sendInitialMetadata()
      try await writer.follow(channel.updates, after: request.afterRevision)
    }
    router.handle(ManagementServiceMethods.readAuditLog) { request, writer, call in
      _ = try caller(call)
      await call.sendInitialMetadata()
      try await readAuditLog(request) { try await writer.write($0) }
    }
    // Each follower reads the store when something is added.
    router.limit(ManagementServiceMethods.readAuditLog, MethodLimits(concurrentCalls: 32))
  }

  private func read<Request: Sendable, Response: Sendable>(
    _ method: Method<Request, Response>, in router: inout ServiceRouter,
    _ body: @escaping @Sendable (ManagementHandlers, Request) async throws -> Response
  ) {
    router.handle(method) { request, call in
      _ = try caller(call)
      return try await body(self, request)
    }
  }

  /// A method whose calls are written down, refused ones too.
  private func change<Request: AuditedRequest & Sendable, Response: Sendable>(
    _ method: Method<Request, Response>, in router: inout ServiceRouter,
    _ body:
      @escaping @Sendable (ManagementHandlers, Request, _ caller: String) async throws -> Response
  ) {
    router.handle(method) { request, call in
      guard request.changesSomething else {
        return try await body(self, request, try caller(call))
      }
      let name = identify(call.peer)
      let event = AuditEvent(
        caller: name ?? "unknown \(call.peer.address)", method: method.name,
        cluster: request.cluster, request: AuditText.request(request.auditedFields))
      let begun = try await asking { () async throws(OrchestratorError) in
        try await audit.begin(event)
      }
      do {
        guard let name else { throw RPCError.unidentified }
        let response = try await body(self, request, name)
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

  func caller(_ call: ServerCall) throws(RPCError) -> String {
    guard let name = identify(call.peer) else { throw .unidentified }
    return name
  }

  /// Asks the orchestrator; its refusals become statuses.
  func asking<Answer>(
    _ question: () async throws(OrchestratorError) -> Answer
  ) async throws(RPCError) -> Answer {
    do throws(OrchestratorError) { return try await question() } catch { throw RPCError(error) }
  }
}
