import Access
import MemoryStore
import Orchestrator
import RPC
import Rotation
import Schema
import Testing

@testable import ManagementService

/// The service as a client sees it: handlers, orchestrator, store in memory, a cluster that does
/// what the test says, and a channel in between.
struct ServedManagement {
  static let owner = Peer(
    address: "unix:", process: Peer.Process(userID: 1000, groupID: 1000, processID: 42))

  let driver: FakeDriver
  let orchestrator: RotationOrchestrator
  let handlers: ManagementHandlers
  let audit: AuditTrail
  let desk: AccessDesk
  let client: RPCClient

  /// The user that owns the process at the other end, as an admin.
  static let processOwner: @Sendable (Peer) -> Identification = { peer in
    guard let process = peer.process else { return .unknown(reason: "no process") }
    return .caller(Caller(name: "uid:\(process.userID)", role: .admin))
  }

  init(
    _ behaviour: FakeDriver.Behaviour = FakeDriver.Behaviour(), peer: Peer = owner,
    clusters: [String] = ["demo"], endpoints: [String] = ["tls:omnid.example:8443"],
    interceptors: [any ServerInterceptor] = [],
    identify: @escaping @Sendable (Peer) -> Identification = processOwner
  ) async throws {
    driver = FakeDriver(behaviour)
    let pace = [Duration.milliseconds(2)]
    let store = MemoryStore()
    audit = AuditTrail(log: store, clock: FixedClock())
    orchestrator = RotationOrchestrator(
      store: store, driver: driver, clock: FixedClock(),
      settings: OrchestratorSettings(
        rules: RotationRules(
          backoff: Backoff(delays: pace), memberInterval: .milliseconds(20))))
    try await orchestrator.start()
    let refusals = RefusalTrail(audit: audit, clock: FixedClock())
    desk = AccessDesk(
      store: store, mint: FakeMint(), registry: GrantRegistry(), clock: FixedClock())
    await desk.load(AccessContents())
    let authorization = Authorization(
      identify: { peer, _ in identify(peer) }, registry: desk.registry, refusals: refusals,
      now: { FixedClock().now().secondsSince1970 })
    var router = ServiceRouter(interceptors: interceptors + [authorization])
    handlers = ManagementHandlers(
      orchestrator: orchestrator, audit: audit,
      reports: ReportSigning(keyFingerprint: { "f00d" }) { $0 + "signed\n" },
      access: AccessServing(
        desk: desk, refusals: refusals, serverCA: { "server CA" },
        endpoints: { endpoints }, revoked: { _ in }),
      dashboard: DashboardServing(
        sessions: DashboardSessions(
          mint: FakeDashboardMint(), registry: desk.registry, clock: FixedClock()),
        version: "1.2.3", certificateFingerprint: { "c0ffee" },
        cookie: { Metadata(["set-cookie": "\($0) for \($1)"]) },
        isFromOwnPage: { $0.field("origin") == "https://omnid.example:8443" }),
      changeMasterKey: { file throws(MasterKeyRefusal) in
        guard file != "/none" else { throw MasterKeyRefusal("there is no key") }
        return ("0123", ["back it up"])
      },
      identify: { identify($0.peer) })
    handlers.register(in: &router)
    client = RPCClient(InProcessChannel(router, peer: peer))
    for cluster in clusters {
      _ = try await orchestrator.importCluster(name: cluster, talosconfig: "context: x")
    }
  }

  func rotate(
    _ cluster: String = "demo", _ component: Schema.SecretComponent = .talosCA,
    _ change: (inout RotateSecretRequest) -> Void = { _ in }
  ) async throws(RPCError) -> RotateSecretResponse {
    var request = RotateSecretRequest()
    request.cluster = cluster
    request.component = component
    change(&request)
    return try await client.unary(ManagementServiceMethods.rotateSecret, request)
  }

  func status(_ cluster: String = "demo") async throws -> RotationStatus {
    var request = GetRotationStatusRequest()
    request.cluster = cluster
    let response = try await client.unary(ManagementServiceMethods.getRotationStatus, request)
    return try #require(response.status)
  }

  /// Reads a watch until `enough` says so, or it ends.
  func watch(
    _ cluster: String = "demo", after revision: UInt64 = 0, stopWhenIdle: Bool = false,
    until enough: @escaping @Sendable (RotationStatus) async -> Bool = { _ in false }
  ) async throws -> [RotationStatus] {
    var request = WatchRotationStatusRequest()
    request.cluster = cluster
    request.afterRevision = revision
    request.stopWhenIdle = stopWhenIdle
    return try await client.serverStreaming(
      ManagementServiceMethods.watchRotationStatus, request
    ) { responses in
      var seen: [RotationStatus] = []
      for try await response in responses {
        let status = try #require(response.status)
        seen.append(status)
        if await enough(status) { break }
      }
      return seen
    }
  }

  /// Reads a watch of changes only, until it ends.
  func changes(_ cluster: String = "demo") async throws -> [WatchRotationStatusResponse] {
    var request = WatchRotationStatusRequest()
    request.cluster = cluster
    request.stopWhenIdle = true
    request.changesOnly = true
    return try await client.serverStreaming(
      ManagementServiceMethods.watchRotationStatus, request
    ) { responses in
      var seen: [WatchRotationStatusResponse] = []
      for try await response in responses { seen.append(response) }
      return seen
    }
  }

  /// Waits for the cluster's rotation to end.
  @discardableResult
  func finish(_ cluster: String = "demo") async throws -> RotationStatus {
    try #require(try await watch(cluster, stopWhenIdle: true).last)
  }
}

/// The error a call ends with.
func failure(_ body: () async throws -> Void) async throws -> RPCError {
  do {
    try await body()
  } catch let error as RPCError {
    return error
  }
  Issue.record("the call succeeded")
  throw CancellationError()
}
