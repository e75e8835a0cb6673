import Access
import Metrics
import Orchestrator
import RPC
import Rotation
import StoreConformance
import Synchronization
import Testing

@Suite struct RotationMetricsTests {
  private func text(
    _ views: [ClusterView], leftOut: Int = 0, now: Instant = Sample.instant
  ) -> String {
    Exposition.prometheus.text(RotationMetrics(views, leftOut: leftOut, now: now).families)
  }

  @Test("Of the credentials that were issued for long the first to end is told, until it has ended")
  func credentials() throws {
    let views = SampleMetrics.views(state: try rolling(.rotate))
    func ends(after days: Int) -> [String] {
      text(views, now: Sample.instant.advanced(by: .seconds(days * 86_400)))
        .split(separator: "\n").map(String.init)
        .filter { $0.hasPrefix("omnid_credential_next_expiry_timestamp_seconds{") }
    }
    func sample(_ days: Int64) -> String {
      "omnid_credential_next_expiry_timestamp_seconds{cluster=\"prod\",component=\"talos-ca\"} "
        + "\(Sample.instant.secondsSince1970 + days * 86_400)"
    }
    #expect(ends(after: 0) == [sample(30)])
    #expect(ends(after: 30) == [sample(365)])
    #expect(ends(after: 365) == [])
  }

  private func rolling(_ phase: RotationPhase) throws -> RotationMachine.State {
    try #require(
      Sample.states.first {
        if case .rolling(let stage) = $0 { stage.phase == phase } else { false }
      })
  }

  @Test(
    "A rotation that is under way is told of with its stage, its machines, and who is waited for")
  func running() throws {
    let said = text(SampleMetrics.views(state: try rolling(.rotate)))
    #expect(
      said.contains(
        "omnid_rotation_state{cluster=\"prod\",component=\"kubernetes-ca\",state=\"running\",stage=\"ROTATE\"} 1\n"
      ))
    #expect(said.contains("omnid_rotations{state=\"running\",stage=\"ROTATE\"} 1\n"))
    #expect(said.contains("omnid_rotations{state=\"running\",stage=\"PRE_ROTATE\"} 0\n"))
    #expect(said.contains("omnid_rotation_machines{cluster=\"prod\"} 5\n"))
    #expect(said.contains("omnid_rotation_machines_done{cluster=\"prod\"} 1\n"))
    #expect(
      said.contains(
        "omnid_rotation_waiting_since_timestamp_seconds{cluster=\"prod\",machine=\"m-2\"} 1795455778\n"
      ))
    #expect(!said.contains("machine=\"m-3\""))
    #expect(
      said.contains("omnid_rotation_failed_checks{cluster=\"prod\",check=\"failed\"}"))
    #expect(!said.contains("check=\"passed\""))
  }

  @Test("Nothing of machines is told when no rotation is under way")
  func over() {
    let said = text(
      SampleMetrics.views(state: .failed(reason: "no machine answers")))
    #expect(said.contains("state=\"failed\",stage=\"\"} 1\n"))
    #expect(!said.contains("omnid_rotation_machines") && !said.contains("machine="))
  }

  @Test("Who goes on with a retired CA is told once it is counted")
  func stale() throws {
    let said = text(SampleMetrics.views(state: try rolling(.rotate)))
    #expect(said.contains("omnid_stale_trust{cluster=\"prod\",component=\"talos-ca\"} 3\n"))
    #expect(!said.contains("omnid_stale_trust{cluster=\"prod\",component=\"kubernetes-ca\"}"))
  }

  @Test("A machine that accepts two retired CAs of one kind is one machine")
  func returned() throws {
    let said = text(SampleMetrics.views(state: try rolling(.rotate)))
    #expect(
      said.contains("omnid_retired_ca_machines{cluster=\"prod\",component=\"talos-ca\"} 1\n"))
    #expect(
      said.contains("omnid_retired_ca_machines{cluster=\"prod\",component=\"kubernetes-ca\"} 0\n"))
    #expect(said.contains("omnid_record_outdated{cluster=\"prod\"} 1\n"))
    #expect(
      said.contains(
        "omnid_ca_expiry_timestamp_seconds{cluster=\"prod\",component=\"talos-ca\"} 1795455778\n"))
    #expect(!said.contains("omnid_ca_expiry_timestamp_seconds{cluster=\"prod\",component=\"kube"))
  }

  @Test("Clusters without samples of their own are counted")
  func leftOut() {
    let said = text([], leftOut: 7)
    #expect(said.contains("omnid_clusters 7\n") && said.contains("omnid_clusters_left_out 7\n"))
  }
}

@Suite struct CallMetricsTests {
  @Test("Calls are counted by method and status code, and what is no method is one")
  func counts() async throws {
    var router = ServiceRouter()
    router.handle(Echo.unary) { request, _ in
      if request.isEmpty { throw RPCError(.notFound, "no such thing") }
      return request
    }
    let client = RPCClient(InProcessChannel(router))
    for request: [UInt8] in [[1], [2], []] { _ = try? await client.unary(Echo.unary, request) }
    for name in ["A", "B"] {
      let none = RPC.Method<[UInt8], [UInt8]>(
        service: "test.S", name: name, kind: .unary, request: .bytes, response: .bytes)
      _ = try? await client.unary(none, [])
    }
    let said = Exposition.prometheus.text(CallMetrics(router.tallies).families)
    #expect(said.contains("omnid_rpc_requests_total{method=\"test.S/Echo\",code=\"OK\"} 2\n"))
    #expect(
      said.contains("omnid_rpc_requests_total{method=\"test.S/Echo\",code=\"NOT_FOUND\"} 1\n"))
    #expect(
      said.contains("omnid_rpc_requests_total{method=\"unknown\",code=\"UNIMPLEMENTED\"} 2\n"))
    #expect(said.contains("omnid_rpc_duration_seconds_count{method=\"test.S/Echo\"} 3\n"))
    #expect(!said.contains("test.S/A"))
  }
}

@Suite struct TimedStoreTests {
  @Test("What a store cannot do is counted by its reason, and timed like what it can")
  func failures() async throws {
    let store = TimedStore(UnreachableStore())
    await #expect(throws: StoreError.self) { try await store.commit([]) }
    _ = try await store.cluster("prod")
    let said = Exposition.prometheus.text(store.families)
    #expect(
      said.contains("omnid_store_failures_total{operation=\"commit\",reason=\"unavailable\"} 1\n"))
    #expect(said.contains("omnid_store_duration_seconds_count{operation=\"commit\"} 1\n"))
    #expect(said.contains("omnid_store_duration_seconds_count{operation=\"read\"} 1\n"))
  }
}

/// A store whose disk is full for a while.
private final class FullStore: RotationStore {
  let isFull = Mutex(true)
  let commits = Mutex(0)
  func load() async throws(StoreError) -> StoreContents {
    StoreContents(revision: 0, clusters: [], rotations: [])
  }
  func commit(_ changes: [StoreChange]) async throws(StoreError) -> Revision {
    commits.withLock { $0 += 1 }
    if isFull.withLock({ $0 }) { throw StoreError(.unavailable, "full") }
    return 1
  }
  func cluster(_ name: String) async throws(StoreError) -> ClusterRecord? { nil }
  func clusters(after name: String?, limit: Int) async throws(StoreError) -> [ClusterRecord] { [] }
  func rotation(_ id: String) async throws(StoreError) -> RotationRecord? { nil }
  func rotations(
    cluster: String, before ordinal: UInt64?, limit: Int
  ) async throws(StoreError) -> [RotationRecord] { [] }
  func request(_ id: String, cluster: String) async throws(StoreError) -> RequestRecord? { nil }
  func requestCount(cluster: String, ordinal: UInt64) async throws(StoreError) -> Int { 0 }
}

@Suite struct StoreObstacleTests {
  private struct FullLog: AuditLog {
    func append(_ event: AuditEvent, at now: Instant) async throws(StoreError) -> AuditEntry {
      throw StoreError(.unavailable, "full")
    }
    func entries(after index: UInt64, limit: Int) async throws(StoreError) -> [AuditEntry] { [] }
  }

  @Test("An audit log that cannot be written is an obstacle, although no commit has been tried")
  func auditLog() async throws {
    let full = FullStore()
    let store = TimedStore(full)
    let log = WatchedAuditLog(FullLog(), of: store)
    #expect(await store.obstacle() == nil)
    await #expect(throws: StoreError.self) {
      _ = try await log.append(
        AuditEvent(caller: "uid:0", method: "LockCluster", cluster: "demo", request: ""),
        at: Instant(secondsSince1970: 1))
    }
    #expect(await store.obstacle()?.message == "full")
  }

  @Test(
    "A commit that failed is an obstacle until one succeeds, and the store is asked once a second")
  func obstacle() async throws {
    let full = FullStore()
    let store = TimedStore(full)
    #expect(await store.obstacle() == nil)
    #expect(full.commits.withLock { $0 } == 0, "a store that is well is not written to")
    await #expect(throws: StoreError.self) { try await store.commit([]) }
    for _ in 0..<20 { #expect(await store.obstacle()?.message == "full") }
    #expect(full.commits.withLock { $0 } == 2)
    full.isFull.withLock { $0 = false }
    try await Task.sleep(for: .milliseconds(1100))
    #expect(await store.obstacle() == nil)
    #expect(full.commits.withLock { $0 } == 3)
  }
}

@Suite struct AccessMetricsTests {
  private func grant(_ id: String, role: Role, expires: Int64, revoked: Bool = false) -> AccessGrant
  {
    AccessGrant(
      id: id, kind: .token, name: "secret-name", role: role,
      issuedAt: Instant(secondsSince1970: 0), expiresAt: Instant(secondsSince1970: expires),
      issuedBy: "uid:0", revokedAt: revoked ? Instant(secondsSince1970: 1) : nil)
  }

  @Test("Grants that let nobody in are not counted, and nobody is named")
  func grants() {
    let grants = [
      grant("1", role: .reader, expires: 200), grant("2", role: .reader, expires: 150),
      grant("3", role: .reader, expires: 50), grant("4", role: .admin, expires: 300, revoked: true),
    ]
    let said = Exposition.prometheus.text(
      AccessMetrics(
        grants, authorityExpiry: Instant(secondsSince1970: 900),
        now: Instant(secondsSince1970: 100)
      ).families)
    #expect(said.contains("omnid_access_grants{kind=\"token\",role=\"reader\"} 2\n"))
    #expect(said.contains("omnid_access_grants{kind=\"token\",role=\"admin\"} 0\n"))
    #expect(
      said.contains(
        "omnid_access_next_expiry_timestamp_seconds{kind=\"token\",role=\"reader\"} 150\n"))
    #expect(said.contains("omnid_api_ca_expiry_timestamp_seconds 900\n"))
    #expect(!said.contains("secret-name"))
  }
}

@Suite struct MetricsResourceTests {
  private func ask(
    _ identity: Identification, ready: Bool = true, accept: String? = nil
  ) async -> (status: Int, body: String, type: String) {
    let resource = MetricsResource(isReady: { ready }, identify: { _, _ in identity }) { caller in
      [MetricFamily("omnid_x", .gauge, "Of \(caller.name)", [.init([:], .integer(1))])]
    }
    var fields = HeaderFields()
    if let accept { fields.append("accept", accept) }
    let answer = await resource.respond(
      to: HTTPRequest(method: "GET", path: "/metrics", fields: fields), peer: Peer(address: "x"))
    return (
      answer.status, String(decoding: answer.body, as: UTF8.self),
      answer.fields.first("content-type") ?? ""
    )
  }

  @Test("A stranger learns nothing, not even why; a caller without a role is refused")
  func refused() async {
    let stranger = await ask(.unknown(reason: "the token token-5e71c0de is revoked"))
    #expect(stranger.status == 401 && !stranger.body.contains("5e71c0de"))
    let nobody = await ask(.caller(Caller(name: "uid:1000", role: nil)))
    #expect(nobody.status == 403 && !nobody.body.contains("omnid_x"))
  }

  @Test("A reader gets the metrics in the form that it takes")
  func reader() async {
    let reader = Identification.caller(Caller(name: "ci", role: .reader))
    let plain = await ask(reader)
    #expect(plain.status == 200 && plain.body.hasSuffix("omnid_x 1\n"))
    #expect(plain.type == "text/plain; version=0.0.4; charset=utf-8")
    let open = await ask(reader, accept: "application/openmetrics-text")
    #expect(open.body.hasSuffix("# EOF\n"))
    #expect(open.type == "application/openmetrics-text; version=1.0.0; charset=utf-8")
  }

  @Test("Before it is known who may call, everybody is asked to come again")
  func opening() async {
    #expect(await ask(.unknown(reason: ""), ready: false).status == 503)
  }
}
