public import Orchestrator
public import RPC
import Rotation
import Schema

/// The handlers of `omni.management.v1.ManagementService`.
///
/// They put what a caller sent into the domain's words, ask the orchestrator, and say its answer in the words of the
/// schema. What may be asked, and every decision about a rotation, is the orchestrator's. One file each holds the words
/// (`Bindings`) and the status codes (`ErrorMapping`).
public struct ManagementHandlers: Sendable {
  let orchestrator: RotationOrchestrator
  private let identify: @Sendable (Peer) -> String?
  let feed = RotationFeed()
  let statusAnswers = StatusAnswers()
  /// Bytes of items after which a page of a list ends early: other gRPC implementations take messages up to 4 MiB unless
  /// told otherwise.
  static let pageBytes = 2 << 20

  /// - Parameters:
  ///   - identify: who is at the other end, as recorded with what it starts. Nil: nobody known; the
  ///     call is refused with UNAUTHENTICATED.
  public init(
    orchestrator: RotationOrchestrator,
    identify: @escaping @Sendable (Peer) -> String? = ManagementHandlers.processOwner
  ) {
    self.orchestrator = orchestrator
    self.identify = identify
    orchestrator.observe(feed)
  }

  /// The user that owns the process at the other end of a Unix socket: `uid:1000`.
  public static let processOwner: @Sendable (Peer) -> String? = { peer in
    peer.process.map { "uid:\($0.userID)" }
  }

  /// Serves every method of the service.
  public func register(in router: inout ServiceRouter) {
    unary(ManagementServiceMethods.rotateSecret, in: &router) {
      try await $0.rotateSecret($1, requester: $2)
    }
    router.handleEncoded(ManagementServiceMethods.getRotationStatus) { request, call in
      _ = try caller(call)
      return try await getRotationStatus(request)
    }
    unary(ManagementServiceMethods.abortRotation, in: &router) {
      try await $0.abortRotation($1, requester: $2)
    }
    unary(ManagementServiceMethods.continueRotation, in: &router) {
      try await $0.continueRotation($1, requester: $2)
    }
    unary(ManagementServiceMethods.listRotations, in: &router) { handlers, request, _ in
      try await handlers.listRotations(request)
    }
    unary(ManagementServiceMethods.importCluster, in: &router) { handlers, request, _ in
      try await handlers.importCluster(request)
    }
    unary(ManagementServiceMethods.getCluster, in: &router) { handlers, request, _ in
      try await handlers.getCluster(request)
    }
    unary(ManagementServiceMethods.listClusters, in: &router) { handlers, request, _ in
      try await handlers.listClusters(request)
    }
    unary(ManagementServiceMethods.forgetCluster, in: &router) { handlers, request, _ in
      try await handlers.forgetCluster(request)
    }
    unary(ManagementServiceMethods.lockCluster, in: &router) {
      try await $0.lockCluster($1, requester: $2)
    }
    unary(ManagementServiceMethods.unlockCluster, in: &router) { handlers, request, _ in
      try await handlers.unlockCluster(request)
    }
    unary(ManagementServiceMethods.lockMachine, in: &router) {
      try await $0.lockMachine($1, requester: $2)
    }
    unary(ManagementServiceMethods.unlockMachine, in: &router) { handlers, request, _ in
      try await handlers.unlockMachine(request)
    }
    unary(ManagementServiceMethods.talosconfig, in: &router) { handlers, request, _ in
      try await handlers.talosconfig(request)
    }
    unary(ManagementServiceMethods.kubeconfig, in: &router) { handlers, request, _ in
      try await handlers.kubeconfig(request)
    }
    unary(ManagementServiceMethods.exportSecrets, in: &router) { handlers, request, _ in
      try await handlers.exportSecrets(request)
    }
    router.handle(ManagementServiceMethods.watchRotationStatus) { request, writer, call in
      // All in one function, and little of it kept: every watcher holds its frame for as long as it watches.
      let channel = try beginWatch(request, call)
      defer { feed.leave(channel) }
      // Whoever resumes after the newest revision learns that the watch stands before anything changes.
      await call.sendInitialMetadata()
      try await writer.follow(channel.updates, after: request.afterRevision)
    }
  }

  private func unary<Request: Sendable, Response: Sendable>(
    _ method: Method<Request, Response>, in router: inout ServiceRouter,
    _ body:
      @escaping @Sendable (ManagementHandlers, Request, _ caller: String) async throws -> Response
  ) {
    router.handle(method) { request, call in
      try await body(self, request, try caller(call))
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
