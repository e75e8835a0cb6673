import RPC
import Schema
import Testing

@testable import OmnictlCommands

@Suite("Checking all clusters")
struct FleetCheckTests {
  private static let day: Int64 = 86_400
  private static let now = Timestamp(seconds: 1000 * day)

  private static func cluster(_ name: String, expiresIn days: Int64) -> Cluster {
    var authority = CertificateAuthority()
    authority.component = .talosCA
    authority.notBefore = Timestamp(seconds: 0)
    authority.notAfter = Timestamp(seconds: now.seconds + days * day)
    var cluster = Cluster()
    cluster.name = name
    cluster.authorities = [authority]
    return cluster
  }

  private func kinds(_ cluster: Cluster) -> [FleetCheck.Finding.Kind] {
    FleetCheck.findings(cluster, now: Self.now, within: 30 * Self.day).map(\.kind)
  }

  @Test("A CA is told of within the time that is asked for, and not before")
  func expiry() {
    #expect(kinds(Self.cluster("a", expiresIn: 31)).isEmpty)
    #expect(kinds(Self.cluster("a", expiresIn: 30)) == [.expiry])
    // An expired one is a warning of the server's.
    #expect(kinds(Self.cluster("a", expiresIn: -1)).isEmpty)
    let finding = FleetCheck.findings(
      Self.cluster("a", expiresIn: 1), now: Self.now, within: Self.day)
    #expect(finding.first?.detail.contains("omnictl cluster -n a secret rotate talos-ca") == true)
  }

  @Test("Warnings, retired CAs, stale trust, marks and rotations that wait are told of, each once")
  func everything() {
    var cluster = Self.cluster("a", expiresIn: 400)
    cluster.warnings = ["the record is outdated"]
    var leaked = ClusterMark()
    leaked.name = "leaked-secrets"
    var drifted = ClusterMark()
    drifted.name = "retired-ca-returned"
    cluster.marks = [leaked, drifted]
    var returned = ReturnedCA()
    returned.machine = "w-1"
    var stale = StaleTrust()
    (stale.counted, stale.total) = (true, 2)
    var uncounted = StaleTrust()
    uncounted.total = 0
    var rotation = RotationStatus()
    rotation.rotationID = "r"
    rotation.state = .running
    rotation.error = "w-1: no route"
    rotation.returnedCAs = [returned]
    rotation.staleTrust = [stale, uncounted]
    cluster.rotation = rotation
    #expect(kinds(cluster) == [.warning, .drift, .staleTrust, .mark, .rotation])
    cluster.rotation?.error = ""
    #expect(!kinds(cluster).contains(.rotation))
  }

  @Test("While a rotation runs the holders of what it ends are named, and not afterwards")
  func holders() {
    func held(_ holder: String, until end: Int64) -> HeldCredential {
      var held = HeldCredential()
      held.holder = holder
      held.expiresAt = Timestamp(seconds: Self.now.seconds + end)
      return held
    }
    var cluster = Self.cluster("a", expiresIn: 400)
    var rotation = RotationStatus()
    rotation.rotationID = "r"
    rotation.component = .talosCA
    rotation.state = .running
    rotation.retiringCredentials = [
      held("bob", until: 60), held("alice", until: 60), held("alice", until: 90),
      held("carol", until: -1),
    ]
    rotation.retiringCredentialsUnlisted = 2
    cluster.rotation = rotation
    let found = FleetCheck.findings(cluster, now: Self.now, within: 30 * Self.day)
    #expect(found.map(\.kind) == [.credentials])
    #expect(
      found.first?.detail.hasPrefix("5 credentials of the CA that goes: their holders (alice, bob)")
        == true)
    cluster.rotation?.state = .succeeded
    #expect(kinds(cluster).isEmpty)
  }

  @Test("A grant that was issued for long is told of near its end; one for hours is not")
  func grants() {
    func grant(_ id: String, from start: Int64, to end: Int64, revoked: Bool = false) -> AccessGrant
    {
      var grant = AccessGrant()
      grant.id = id
      grant.issuedAt = Timestamp(seconds: Self.now.seconds + start)
      grant.expiresAt = Timestamp(seconds: Self.now.seconds + end)
      if revoked { grant.revokedAt = Self.now }
      return grant
    }
    let found = FleetCheck.grants(
      [
        grant("long", from: -100 * Self.day, to: Self.day),
        grant("short", from: -3600, to: 3600),
        grant("far", from: -Self.day, to: 90 * Self.day),
        grant("over", from: -100 * Self.day, to: -1),
        grant("revoked", from: -100 * Self.day, to: Self.day, revoked: true),
      ], now: Self.now, within: 30 * Self.day)
    #expect(found.map(\.subject) == ["long"])
  }

  @Test(
    "The exit code is 0 where nothing has to be done, and 1 with a table or JSON of what has to be")
  func exit() async throws {
    var service = FakeService()
    service.listClusters = { _ in
      var response = ListClustersResponse()
      response.clusters = [Cluster()]
      return response
    }
    service.listAccess = { _ in ListAccessResponse() }
    let good = Bench(service)
    #expect(await good.run("check") == .done)
    #expect(good.output.text == "nothing has to be done about 1 cluster\n")
    service.listClusters = { _ in
      var cluster = Cluster()
      cluster.name = "prod"
      cluster.warnings = ["its \"record\" is old"]
      var response = ListClustersResponse()
      response.clusters = [cluster]
      return response
    }
    service.listAccess = { _ in throw RPCError(.permissionDenied, "admins only") }
    let bad = Bench(service)
    #expect(await bad.run("check") == .failed)
    #expect(bad.output.text.contains("prod     warning"))
    #expect(bad.errors.text.contains("were not looked at, which takes an admin"))
    #expect(bad.errors.text.contains("1 thing has to be done"))
    let json = Bench(service)
    #expect(await json.run("check", "-o", "json") == .failed)
    #expect(
      json.output.text
        == "{\"clusters\":1,\"findings\":[{\"cluster\":\"prod\",\"what\":\"warning\",\"subject\":\"\","
        + "\"detail\":\"its \\\"record\\\" is old\"}]}\n")
  }

  @Test("A cluster whose machines do not answer is told of, when they are asked")
  func machines() async throws {
    var service = FakeService()
    service.listClusters = { _ in
      var cluster = Cluster()
      cluster.name = "prod"
      var response = ListClustersResponse()
      response.clusters = [cluster]
      return response
    }
    service.listAccess = { _ in ListAccessResponse() }
    service.rotate = { request in
      #expect(request.dryRun && request.cluster == "prod")
      throw RPCError(.failedPrecondition, "w-1 does not answer")
    }
    let bench = Bench(service)
    #expect(await bench.run("check") == .done)
    let asking = Bench(service)
    #expect(await asking.run("check", "--machines") == .failed)
    #expect(asking.output.text.contains("w-1 does not answer"))
  }

  @Test(
    "A cluster whose dry run fails in whatever way is a finding, and the others are asked all the same"
  )
  func oneOfMany() async throws {
    var service = FakeService()
    service.listClusters = { _ in
      var response = ListClustersResponse()
      response.clusters = ["hung", "gone", "odd", "good"].map { name in
        var cluster = Cluster()
        cluster.name = name
        return cluster
      }
      return response
    }
    service.listAccess = { _ in ListAccessResponse() }
    service.rotate = { request in
      switch request.cluster {
      case "hung": throw RPCError(.deadlineExceeded, "too late")
      case "gone": throw RPCError(.notFound, "there is no cluster 'gone'")
      case "odd": throw RPCError(.internalError, "something")
      default: return RotateSecretResponse()
      }
    }
    let bench = Bench(service)
    #expect(await bench.run("check", "--machines") == .failed)
    for name in ["hung", "gone", "odd"] {
      #expect(bench.output.text.contains("\(name) "), "\(bench.output.text)")
    }
    #expect(!bench.output.text.contains("good "))
    #expect(bench.errors.text.contains("3 things have to be done"))
    // A caller who may not ask learns that once.
    service.rotate = { _ in throw RPCError(.permissionDenied, "operators only") }
    let denied = Bench(service)
    #expect(await denied.run("check", "--machines") == .noAccess)
  }
}
