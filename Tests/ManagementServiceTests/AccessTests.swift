import Access
import Orchestrator
import ProtoCodec
import RPC
import Rotation
import Schema
import Synchronization
import Testing

@testable import ManagementService

@Suite("Who may make which call", .timeLimit(.minutes(1)))
struct AccessTests {
  /// A service whose caller is the one that the test says.
  private static func served(
    as caller: Caller, clusters: [String] = ["demo", "other"]
  ) async throws -> ServedManagement {
    try await ServedManagement(clusters: clusters, identify: { _ in .caller(caller) })
  }

  private static func raw(_ name: String, _ kind: MethodKind = .unary) -> Method<[UInt8], [UInt8]> {
    Method(
      service: ManagementServiceMethods.service, name: name, kind: kind, request: .bytes,
      response: .bytes)
  }

  @Test("Every method that is served stands in the table of roles, and nothing else")
  func table() {
    let served = ManagementServiceMethods.schema.methods.map {
      "/\(ManagementServiceMethods.service)/\($0.name)"
    }
    let listed = MethodRoles.table.keys.filter { $0.contains(ManagementServiceMethods.service) }
    #expect(listed.sorted() == served.sorted())
    let beside = [SchemaFile.health, .reflection, .reflectionV1Alpha].flatMap { file in
      file.services.flatMap { service in
        service.methods.map { "/\(file.package).\(service.name)/\($0.name)" }
      }
    }
    #expect(Set(beside).isSubset(of: MethodRoles.table.keys))
    #expect(MethodRoles.least("/x.Y/Z") == .admin)
    let path = "/\(ManagementServiceMethods.service)/GetCluster"
    // As a GET has it, whose query may hold anything.
    #expect(MethodRoles.least(path + "?message=/x") == .reader)
    #expect(MethodRoles.least("/x.Y/Z?\(path)") == .admin)
    #expect(MethodRoles.name(path + "?message=/x") == "GetCluster")
  }

  @Test("A method that hands out or destroys what cannot be had again takes an admin")
  func least() {
    for name in [
      "ImportCluster", "ForgetCluster", "Talosconfig", "Kubeconfig", "ExportSecrets",
      "ExportRetiredCA", "IssueCertificate", "IssueToken", "RevokeAccess", "ChangeMasterKey",
    ] {
      #expect(MethodRoles.least("/\(ManagementServiceMethods.service)/\(name)") == .admin)
    }
    for method in ManagementServiceMethods.schema.methods
    where method.idempotency != .noSideEffects && !method.name.contains("Dashboard") {
      #expect(MethodRoles.least("/\(ManagementServiceMethods.service)/\(method.name)") > .reader)
    }
  }

  @Test(
    "A caller with a lower role than a method's is refused, and it is written down",
    arguments: [nil, Role.reader, .operator])
  func roles(role: Role?) async throws {
    let served = try await Self.served(as: Caller(name: "cn:alice/1", role: role))
    for method in ManagementServiceMethods.schema.methods
    where !method.isServerStreaming && method.name != "OpenDashboardSession" {
      let least = MethodRoles.least("/\(ManagementServiceMethods.service)/\(method.name)")
      let before = try await served.audit.entries(after: 0, limit: 1000).count
      var refused: RPCError?
      do {
        _ = try await served.client.unary(Self.raw(method.name), [])
      } catch { refused = error }
      let isAllowed = role.map { $0 >= least } ?? false
      #expect((refused?.code == .permissionDenied) == !isAllowed, "\(method.name)")
      guard !isAllowed, before < 36 else { continue }
      let new = try await served.audit.entries(after: UInt64(before), limit: 9)
      #expect(new.map(\.event.caller) == ["cn:alice/1", "cn:alice/1"])
      #expect(new.last?.event.code == "PERMISSION_DENIED")
      #expect(new.last?.event.method == method.name)
    }
  }

  @Test("Refusals of one caller do not push what others did out of the log")
  func flood() async throws {
    let served = try await Self.served(as: Caller(name: "cn:alice/1", role: .reader))
    for _ in 0..<100 {
      _ = try? await served.client.unary(Self.raw("ForgetCluster"), [])
    }
    #expect(try await served.audit.entries(after: 0, limit: 1000).count == 40)
  }

  @Test("A caller that is bound to clusters learns nothing of others, whether they exist or not")
  func bounds() async throws {
    let caller = Caller(name: "token:ci/t-1", role: .admin, clusters: ["demo", "nowhere"])
    let served = try await Self.served(as: caller)
    for call in NamedCall.all + [.watch, .importCluster] {
      var told: [RPCError] = []
      for cluster in ["other", "missing", "", "No Name"] {
        var error = try await failure { try await call.call(served.client, cluster) }
        // A call's identifier is drawn for the call, and says nothing of the cluster.
        #expect(error.metadata.entries.allSatisfy { $0.key == CallRecord.metadataName })
        error.metadata = Metadata()
        told.append(error)
      }
      #expect(told.allSatisfy { $0.code == .permissionDenied })
      #expect(told.dropFirst().allSatisfy { $0 == told[0] })
    }
    // Of its own it learns what everybody learns.
    var request = GetClusterRequest()
    request.cluster = "demo"
    #expect(
      try await served.client.unary(ManagementServiceMethods.getCluster, request).cluster?.name
        == "demo")
    request.cluster = "nowhere"
    #expect(
      try await failure {
        _ = try await served.client.unary(ManagementServiceMethods.getCluster, request)
      }.code == .notFound)
    let list = try await served.client.unary(
      ManagementServiceMethods.listClusters, ListClustersRequest())
    #expect(list.clusters.map(\.name) == ["demo"] && list.nextPageToken.isEmpty)
  }

  @Test(
    "What is about all clusters is not for a caller that is bound to some",
    arguments: ["ImportCluster", "IssueCertificate", "IssueToken", "ListAccess", "RevokeAccess"])
  func wholeServer(name: String) async throws {
    let served = try await Self.served(
      as: Caller(name: "token:ci/t-1", role: .admin, clusters: ["demo"]))
    let error = try await failure { _ = try await served.client.unary(Self.raw(name), []) }
    #expect(error.code == .permissionDenied)
  }

  @Test(
    "Taking over with a talosconfig is an import, also as a dry run, and takes an admin of all clusters"
  )
  func adoption() async throws {
    for dryRun in [false, true] {
      for (caller, reason) in [
        (Caller(name: "x", role: .operator), "ROLE_MISSING"),
        (Caller(name: "x", role: .admin, clusters: ["demo"]), "CLUSTER_OUT_OF_BOUNDS"),
      ] {
        let served = try await Self.served(as: caller)
        var request = AdoptRotationRequest()
        request.cluster = "demo"
        request.talosconfig = "context: x"
        request.dryRun = dryRun
        let error = try await failure {
          _ = try await served.client.unary(ManagementServiceMethods.adoptRotation, request)
        }
        #expect(error.code == .permissionDenied)
        #expect(error.detail(GoogleRPC.ErrorInfo.self)?.reason == reason)
        let last = try await served.audit.entries(after: 0, limit: 9).last
        #expect(last?.event.code == "PERMISSION_DENIED" && last?.event.cluster == "demo")
        request.talosconfig = ""
        do {
          _ = try await served.client.unary(ManagementServiceMethods.adoptRotation, request)
        } catch { #expect(error.code != .permissionDenied) }
      }
    }
  }

  @Test("A list of a bound caller has pages as any other")
  func pages() async throws {
    let names = (0..<5).map { "c\($0)" }
    let served = try await Self.served(
      as: Caller(name: "x", role: .reader, clusters: ["c1", "c3", "c4", "gone"]), clusters: names)
    var seen: [String] = []
    var request = ListClustersRequest()
    request.pageSize = 2
    repeat {
      let page = try await served.client.unary(ManagementServiceMethods.listClusters, request)
      seen += page.clusters.map(\.name)
      request.pageToken = page.nextPageToken
    } while !request.pageToken.isEmpty
    #expect(seen == ["c1", "c3", "c4"])
  }

  @Test("A watch ends when what its caller is known by is revoked")
  func revokedWatch() async throws {
    let current = Mutex(Caller(name: "x", role: .admin))
    let served = try await ServedManagement(
      clusters: ["demo"], identify: { _ in .caller(current.withLock { $0 }) })
    var issue = IssueTokenRequest()
    issue.name = "ci"
    issue.role = .reader
    let token = try await served.client.unary(ManagementServiceMethods.issueToken, issue)
    let id = try #require(token.grant?.id)
    #expect(token.token == "omni_1" && token.endpoints == ["tls:omnid.example:8443"])
    current.withLock {
      $0 = Caller(name: "token:ci/\(id)", role: .reader, grant: id, expiresAt: .max)
    }
    let watch = Task { try await failure { _ = try await served.watch() } }
    while served.desk.registry.calls(under: id) == 0 { try await Task.sleep(for: .milliseconds(1)) }
    current.withLock { $0 = Caller(name: "x", role: .admin) }
    var revoke = RevokeAccessRequest()
    revoke.id = id
    let answer = try await served.client.unary(ManagementServiceMethods.revokeAccess, revoke)
    #expect(answer.endedCalls == 1 && answer.grant?.revokedBy == "x")
    #expect(try await watch.value.code == .unauthenticated)
    #expect(served.desk.registry.calls(under: id) == 0)
  }

  @Test("A watch ends when what its caller is known by expires")
  func expiredWatch() async throws {
    // The clock stands: the grant has expired when the second after its end has begun.
    let now = FixedClock().now().secondsSince1970
    let caller = Caller(name: "x", role: .reader, grant: "t-1", expiresAt: now - 1)
    let served = try await ServedManagement(identify: { _ in .caller(caller) })
    #expect(try await failure { _ = try await served.watch() }.code == .unauthenticated)
  }

  @Test("What is issued is in the list and in the log, and its secret in neither")
  func issued() async throws {
    let served = try await ServedManagement()
    var request = IssueCertificateRequest()
    request.name = "alice"
    request.role = .operator
    request.certificateRequest = "request"
    let certificate = try await served.client.unary(
      ManagementServiceMethods.issueCertificate, request)
    var token = IssueTokenRequest()
    token.name = "ci"
    token.role = .reader
    token.clusters = ["demo"]
    token.ttl = ProtoDuration(seconds: 600)
    let issued = try await served.client.unary(ManagementServiceMethods.issueToken, token)
    let list = try await served.client.unary(
      ManagementServiceMethods.listAccess, ListAccessRequest())
    #expect(list.grants.map(\.id) == [certificate.grant?.id, issued.grant?.id])
    #expect(list.grants.first == certificate.grant && list.grants.last == issued.grant)
    let entries = try await served.audit.entries(after: 0, limit: 99)
    #expect(!"\(entries) \(list)".contains(issued.token))
    #expect(entries.last?.event.request == "name=ci role=reader ttl=600s clusters=demo")
    #expect(entries.last?.event.message.contains("token \(issued.grant?.id ?? "?") of ci") == true)
  }

  @Test("What is wrong with a request is told by its fields")
  func malformed() async throws {
    let served = try await ServedManagement()
    var request = IssueTokenRequest()
    request.name = "a b"
    request.clusters = ["Demo"]
    request.ttl = ProtoDuration(seconds: 1)
    let error = try await failure {
      _ = try await served.client.unary(ManagementServiceMethods.issueToken, request)
    }
    #expect(error.code == .invalidArgument)
    #expect(
      error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field)
        == ["name", "role", "clusters[0]", "ttl"])
    var revoke = RevokeAccessRequest()
    revoke.id = "t-9"
    let unknown = try await failure {
      _ = try await served.client.unary(ManagementServiceMethods.revokeAccess, revoke)
    }
    #expect(unknown.code == .notFound)
    #expect(unknown.detail(GoogleRPC.ErrorInfo.self)?.reason == "GRANT_NOT_FOUND")
  }
}
