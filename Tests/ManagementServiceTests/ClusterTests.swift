import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema
import Testing

@Suite("Clusters", .timeLimit(.minutes(1)))
struct ClusterTests {
  private func importCluster(
    _ served: ServedManagement, _ name: String = "prod"
  ) async throws -> Cluster {
    var request = ImportClusterRequest()
    request.cluster = name
    request.talosconfig = "context: x"
    let response = try await served.client.unary(ManagementServiceMethods.importCluster, request)
    return try #require(response.cluster)
  }

  private func get(_ served: ServedManagement, _ name: String) async throws -> Cluster {
    var request = GetClusterRequest()
    request.cluster = name
    let response = try await served.client.unary(ManagementServiceMethods.getCluster, request)
    return try #require(response.cluster)
  }

  @Test("An imported cluster is described with its machines, CAs and rotation")
  func imports() async throws {
    let served = try await ServedManagement(clusters: [])
    let cluster = try await importCluster(served)
    #expect(cluster.name == "prod")
    #expect(cluster.endpoints == ["10.0.0.1", "10.0.0.2"])
    #expect(cluster.kubernetesEndpoint == "https://10.0.0.1:6443")
    #expect(cluster.talosVersion == "v1.10.2")
    #expect(cluster.machines.map(\.name) == ["cp-1", "cp-2", "cp-3", "worker-1", "worker-2"])
    #expect(cluster.machines.map(\.controlPlane) == [true, true, true, false, false])
    #expect(cluster.machines[3].address == "10.0.0.11")
    #expect(cluster.talosCAFingerprint == "talos-old-prod")
    #expect(cluster.kubernetesCAFingerprint == "kubernetes-old")
    #expect(cluster.importedAt == Timestamp(seconds: 1_800_000_000))
    #expect(cluster.rotation?.state == .idle)
    #expect(try await get(served, "prod") == cluster)
  }

  @Test("CAs are shown with their end; what a person has to know comes as warnings")
  func authoritiesAndWarnings() async throws {
    let served = try await ServedManagement(
      .init(
        importWarnings: ["worker-1 accepts CA 4cd1"],
        authoritiesEnd: Instant(secondsSince1970: 1_750_000_000)), clusters: [])
    let cluster = try await importCluster(served)
    #expect(cluster.authorities.map(\.component) == [.talosCA, .kubernetesCA])
    #expect(cluster.authorities.first?.subject == "O=talos")
    #expect(cluster.authorities.first?.notAfter == Timestamp(seconds: 1_750_000_000))
    #expect(cluster.warnings.count == 3 && cluster.warnings.last == "worker-1 accepts CA 4cd1")
    let shown = try await get(served, "prod")
    #expect(shown.warnings.allSatisfy { $0.contains("expired on 2025-06-15T") })
  }

  @Test("The same cluster under another name is ALREADY_EXISTS and names the first")
  func twin() async throws {
    let served = try await ServedManagement(.init(sharedIdentity: true), clusters: ["first"])
    let error = try await failure { _ = try await importCluster(served, "second") }
    #expect(error.code == .alreadyExists && error.message.contains("'first'"))
  }

  @Test("A cluster in mid-rotation is forgotten by force, and the answer says what is lost")
  func forced() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    _ = try await served.rotate()
    var request = ForgetClusterRequest()
    request.cluster = "demo"
    let error = try await failure {
      _ = try await served.client.unary(ManagementServiceMethods.forgetCluster, request)
    }
    #expect(error.code == .failedPrecondition)
    request.force = true
    let answer = try await served.client.unary(ManagementServiceMethods.forgetCluster, request)
    #expect(!answer.lost.isEmpty)
    let gone = try await failure { _ = try await get(served, "demo") }
    #expect(gone.code == .notFound)
  }

  @Test("A cluster that exists already is ALREADY_EXISTS")
  func exists() async throws {
    let served = try await ServedManagement(clusters: ["prod"])
    let error = try await failure { _ = try await importCluster(served) }
    #expect(error.code == .alreadyExists)
    #expect(error.detail(GoogleRPC.ErrorInfo.self)?.metadata == ["cluster": "prod"])
  }

  @Test(
    "What keeps a cluster from being imported has a status of its own",
    arguments: [
      (DriverError.Code.unsupportedVersion, StatusCode.failedPrecondition, "TALOS_VERSION"),
      (.unreachable, .unavailable, "CLUSTER_UNREACHABLE"),
      (.unauthenticated, .failedPrecondition, "CREDENTIALS_REFUSED"),
      (.permissionDenied, .failedPrecondition, "ACCESS_DENIED"),
      (.invalidInput, .invalidArgument, "INVALID_ARGUMENT"),
      (.invalidConfig, .failedPrecondition, "CLUSTER_REFUSES"),
      (.internalError, .internalError, "INTERNAL"),
    ])
  func importFails(_ code: DriverError.Code, _ status: StatusCode, _ reason: String) async throws {
    let served = try await ServedManagement(
      .init(importError: DriverError(code, "why")), clusters: [])
    let error = try await failure { _ = try await importCluster(served) }
    #expect(error.code == status)
    #expect(error.message == "why")
    #expect(error.detail(GoogleRPC.ErrorInfo.self)?.reason == reason)
    #expect(error.detail(GoogleRPC.ErrorInfo.self)?.domain == "omni.management.v1")
    let precondition = error.detail(GoogleRPC.PreconditionFailure.self)
    #expect((precondition != nil) == (status == .failedPrecondition))
    #expect((error.detail(GoogleRPC.RetryInfo.self) != nil) == (status == .unavailable))
    let fields = error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field)
    #expect(fields == (code == .invalidInput ? ["talosconfig"] : nil))
  }

  @Test("Clusters are listed by name, page by page")
  func lists() async throws {
    let names = ["a", "b", "c", "d", "e"]
    let served = try await ServedManagement(clusters: names.reversed())
    var request = ListClustersRequest()
    request.pageSize = 2
    var pages: [[String]] = []
    repeat {
      let response = try await served.client.unary(ManagementServiceMethods.listClusters, request)
      pages.append(response.clusters.map(\.name))
      request.pageToken = response.nextPageToken
    } while !request.pageToken.isEmpty
    #expect(pages == [["a", "b"], ["c", "d"], ["e"]])
    request.pageSize = 0
    let all = try await served.client.unary(ManagementServiceMethods.listClusters, request)
    #expect(all.clusters.map(\.name) == names)
    #expect(all.nextPageToken.isEmpty)
    request.pageSize = .max
    let most = try await served.client.unary(ManagementServiceMethods.listClusters, request)
    #expect(most == all)
  }

  @Test("A page of large clusters ends early, so that every client can take it")
  func largePages() async throws {
    let machines = (0..<1000).map {
      Machine(
        id: String(repeating: "x", count: 200) + "\($0)", address: "10.0.0.1", role: .controlPlane)
    }
    let names = (0..<24).map { "c\($0)" }.sorted()
    let served = try await ServedManagement(.init(machines: machines), clusters: names)
    var request = ListClustersRequest()
    var seen: [String] = []
    repeat {
      let response = try await served.client.unary(ManagementServiceMethods.listClusters, request)
      #expect(response.serialized().count < 4 << 20)
      seen += response.clusters.map(\.name)
      request.pageToken = response.nextPageToken
    } while !request.pageToken.isEmpty
    #expect(seen == names)
  }

  @Test("A forgotten cluster is gone, and its name is free")
  func forgets() async throws {
    let served = try await ServedManagement()
    var request = ForgetClusterRequest()
    request.cluster = "demo"
    _ = try await served.client.unary(ManagementServiceMethods.forgetCluster, request)
    #expect(try await failure { _ = try await get(served, "demo") }.code == .notFound)
    _ = try await importCluster(served, "demo")
  }

  @Test("A cluster is not forgotten during a rotation")
  func keepsRotating() async throws {
    let served = try await ServedManagement(.init(held: ["cp-1"]))
    _ = try await served.rotate()
    var request = ForgetClusterRequest()
    request.cluster = "demo"
    let error = try await failure {
      _ = try await served.client.unary(ManagementServiceMethods.forgetCluster, request)
    }
    #expect(error.code == .failedPrecondition)
    #expect(
      error.detail(GoogleRPC.PreconditionFailure.self)?.violations.first?.type
        == "ROTATION_IN_PROGRESS")
  }

  @Test("The status is IDLE before the first rotation and then that of the last one")
  func lastRotation() async throws {
    let served = try await ServedManagement()
    let idle = try await served.status()
    #expect(idle.state == .idle)
    #expect(idle.rotationID.isEmpty && idle.component == .unspecified)
    #expect(idle.startedAt == nil && idle.updatedAt == nil)
    let started = try await served.rotate()
    try await served.finish()
    let over = try await served.status()
    #expect(over.state == .succeeded)
    #expect(over.rotationID == started.status?.rotationID)
    #expect(over.newCAFingerprint == "talos-ca-new-1")
    #expect(over.machinesDone == 5 && over.machinesTotal == 5)
    #expect(try await get(served, "demo").talosCAFingerprint == "talos-ca-new-1")
  }

  @Test("Rotations are listed newest first, page by page, the running one among them")
  func history() async throws {
    let served = try await ServedManagement()
    var ids: [String] = []
    for component in [Schema.SecretComponent.talosCA, .kubernetesCA, .talosCA] {
      ids.insert(try #require(try await served.rotate("demo", component).status?.rotationID), at: 0)
      try await served.finish()
    }
    served.driver.update { $0.held = ["cp-1"] }
    ids.insert(try #require(try await served.rotate().status?.rotationID), at: 0)
    var request = ListRotationsRequest()
    request.cluster = "demo"
    request.pageSize = 3
    let first = try await served.client.unary(ManagementServiceMethods.listRotations, request)
    #expect(first.rotations.map(\.rotationID) == Array(ids.prefix(3)))
    #expect(first.rotations.map(\.state) == [.running, .succeeded, .succeeded])
    request.pageToken = first.nextPageToken
    let second = try await served.client.unary(ManagementServiceMethods.listRotations, request)
    #expect(second.rotations.map(\.rotationID) == [ids[3]])
    #expect(second.nextPageToken.isEmpty)
  }

  @Test("A talosconfig is issued for the roles and the time asked for, else os:admin and 12 hours")
  func talosconfig() async throws {
    let served = try await ServedManagement()
    var request = TalosconfigRequest()
    request.cluster = "demo"
    let usual = try await served.client.unary(ManagementServiceMethods.talosconfig, request)
    #expect(usual.talosconfig == "talosconfig of demo")
    #expect(usual.expiresAt == Timestamp(seconds: 1_800_000_000 + 12 * 3600))
    request.roles = ["os:reader", "os:etcd:backup"]
    request.ttl = ProtoDuration(seconds: 600, nanos: 5)
    let short = try await served.client.unary(ManagementServiceMethods.talosconfig, request)
    #expect(short.expiresAt == Timestamp(seconds: 1_800_000_600))
    #expect(
      served.driver.update { $0.issued } == [
        "talosconfig os:admin \(Duration.seconds(43_200))",
        "talosconfig os:reader,os:etcd:backup \(Duration.seconds(600))",
      ])
  }

  @Test("A credential is said to end with its CA, where that ends before the time asked for")
  func endOfTheAuthority() async throws {
    let served = try await ServedManagement()
    served.driver.update { $0.issuerExpiry = Instant(secondsSince1970: 1_800_000_300) }
    var talosconfig = TalosconfigRequest()
    talosconfig.cluster = "demo"
    var kubeconfig = KubeconfigRequest()
    kubeconfig.cluster = "demo"
    #expect(
      try await served.client.unary(ManagementServiceMethods.talosconfig, talosconfig).expiresAt
        == Timestamp(seconds: 1_800_000_300))
    #expect(
      try await served.client.unary(ManagementServiceMethods.kubeconfig, kubeconfig).expiresAt
        == Timestamp(seconds: 1_800_000_300))
  }

  @Test("A kubeconfig is issued for the time asked for, else 12 hours")
  func kubeconfig() async throws {
    let served = try await ServedManagement()
    var request = KubeconfigRequest()
    request.cluster = "demo"
    let usual = try await served.client.unary(ManagementServiceMethods.kubeconfig, request)
    #expect(usual.kubeconfig == "kubeconfig of demo")
    #expect(usual.expiresAt == Timestamp(seconds: 1_800_000_000 + 12 * 3600))
    request.ttl = ProtoDuration(seconds: 60)
    _ = try await served.client.unary(ManagementServiceMethods.kubeconfig, request)
    #expect(
      served.driver.update { $0.issued } == [
        "kubeconfig \(Duration.seconds(43_200))", "kubeconfig \(Duration.seconds(60))",
      ])
  }
}
