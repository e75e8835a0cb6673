import Crypto
import Foundation
import RPC
import RPCTransport
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite("Contexts, and what is issued into them")
final class ContextTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.path("omni/config.yaml") }

  private func bench(_ service: FakeService = FakeService()) -> Bench {
    Bench(service, variables: ["OMNICTL_CONFIG": path])
  }

  private static let authority = try! Authority.generate(
    organizations: ["omnid"], keyAlgorithm: .ecdsaP256, now: 1_800_000_000)

  /// A service that issues as omnid does, and keeps what it was asked.
  func issuing(_ asked: Asked = Asked()) -> FakeService {
    var service = FakeService()
    service.issueCertificate = { request in
      asked.certificates.withLock { $0.append(request) }
      let signed = try Self.authority.sign(
        CertificateRequest(pem: request.certificateRequest),
        as: LeafRequest(
          organizations: ["omni:operator"], commonName: request.name, usages: [.client],
          validity: 60), now: 1_800_000_000)
      var response = IssueCertificateResponse()
      response.certificate = signed.pem
      response.serverCA = Self.authority.certificate.pem
      response.endpoints = ["tls:omnid.example:8443"]
      response.grant = AccessGrant()
      response.grant?.id = signed.serialHex
      response.grant?.kind = .certificate
      response.grant?.name = request.name
      response.grant?.role = request.role
      return response
    }
    service.issueToken = { request in
      asked.tokens.withLock { $0.append(request) }
      var response = IssueTokenResponse()
      response.token = "omni_secret"
      response.serverCA = Self.authority.certificate.pem
      response.endpoints = ["tls:omnid.example:8443"]
      response.grant = AccessGrant()
      response.grant?.kind = .token
      return response
    }
    service.listClusters = { _ in ListClustersResponse() }
    return service
  }

  final class Asked: Sendable {
    let certificates = Mutex<[IssueCertificateRequest]>([])
    let tokens = Mutex<[IssueTokenRequest]>([])
  }

  private func mode(_ path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? 0
  }

  @Test("A certificate is issued for a key that is made here and never sent")
  func certificate() async throws {
    let asked = Asked()
    let bench = bench(issuing(asked))
    #expect(
      await bench.run(
        "access", "issue", "--name", "alice", "--role", "operator", "--ttl", "30m") == .done)
    let request = try #require(asked.certificates.withLock { $0.first })
    #expect(request.name == "alice" && request.role == .operator && request.ttl?.seconds == 1800)
    #expect(!request.certificateRequest.contains("PRIVATE KEY"))
    #expect(try mode(path) == 0o600)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(!text.contains("\ncontext:") && !text.hasPrefix("context:"))
    #expect(!bench.output.text.contains("PRIVATE KEY"))
    // It is used when it is asked for, and stays one among others.
    #expect(await bench.run("--context", "alice", "cluster", "list") == .done)
    let target = try #require(bench.targets.last)
    #expect(target.endpoint == .tls(host: "omnid.example", port: 8443))
    #expect(target.tls?.configuration.identity?.certificate.commonName == "alice")
    #expect(target.tls?.configuration.trustRoots == [Self.authority.certificate])
    #expect(await bench.run("cluster", "list") == .done)
    #expect(bench.endpoints.last == .unix(path: "/run/user/1000/omnid/omnid.sock"))
    #expect(await bench.run("context", "use", "alice") == .done)
    #expect(await bench.run("cluster", "list") == .done)
    #expect(bench.endpoints.last == .tls(host: "omnid.example", port: 8443))
    // What is issued for somebody else changes nothing of that.
    #expect(await bench.run("access", "issue", "--name", "ci", "--token") == .done)
    #expect(await bench.run("cluster", "list") == .done)
    #expect(bench.targets.last?.token == "" && bench.targets.last?.context == "alice")
  }

  @Test("A token is shown with calls to its own server, and nowhere else")
  func token() async throws {
    let asked = Asked()
    let seen = Mutex<[String?]>([])
    var service = issuing(asked)
    service.listClusters = nil
    let bench = bench(service)
    let file = folder.path("ci.yaml")
    #expect(
      await bench.run(
        "access", "issue", "--token", "--name", "ci", "--cluster", "a,b", "--output-file", file)
        == .done)
    #expect(asked.tokens.withLock { $0.first?.clusters } == ["a", "b"])
    #expect(try mode(file) == 0o600)
    #expect(!bench.output.text.contains("omni_secret"))
    #expect(!FileManager.default.fileExists(atPath: path))
    #expect(await bench.run("context", "add", "prod", "--from", file) == .done)
    #expect(await bench.run("cluster", "list") == .failed)
    #expect(bench.targets.last?.token == "omni_secret")
    #expect(await bench.run("--endpoint", "unix:/x", "cluster", "list") == .failed)
    #expect(bench.targets.last?.token == "")
    #expect(seen.withLock { $0.isEmpty })
  }

  @Test("A context goes with its secrets, and the current one is none then")
  func remove() async throws {
    let bench = bench(issuing())
    for name in ["a", "b"] {
      #expect(await bench.run("access", "issue", "--name", name) == .done)
    }
    #expect(await bench.run("context", "use", "b") == .done)
    #expect(await bench.run("context", "remove", "b") == .done)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains("  a:") && !text.contains("  b:") && !text.contains("context: "))
    #expect(await bench.run("context", "remove", "b") == .notFound)
    #expect(await bench.run("context", "list") == .done)
    #expect(bench.output.lines.last?.contains("O=omni:operator, CN=a, serial") == true)
  }

  @Test(
    "A context that could not be used is not added",
    arguments: [
      ["--endpoint", "tls:h:1"], ["--endpoint", "tls:h:1", "--ca", "CA"],
      ["--endpoint", "tls:h:1", "--ca", "CA", "--cert", "CA"], [],
      ["--endpoint", "tls:h:1", "--ca", "TOKEN", "--token-file", "TOKEN"],
      ["--endpoint", "tls:h:1", "--ca", "CA", "--cert", "CA", "--key", "TOKEN"],
      ["--from", "CA"], ["--from", "TOKEN", "--ca", "CA"], ["--from", "/nowhere"],
    ])
  func incomplete(flags: [String]) async throws {
    let (ca, token) = (folder.path("ca.pem"), folder.path("token"))
    try Self.authority.certificate.pem.write(toFile: ca, atomically: true, encoding: .utf8)
    try "omni_x\n".write(toFile: token, atomically: true, encoding: .utf8)
    let bench = bench()
    let words = flags.map { $0 == "CA" ? ca : $0 == "TOKEN" ? token : $0 }
    let code = await bench.run(["context", "add", "prod"] + words)
    #expect(code == .wrongUsage || code == .failed)
    #expect(bench.errors.lines.count == 1)
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("A file that others can read is not used, nor one of another program")
  func foreign() async throws {
    let bench = bench(issuing())
    #expect(await bench.run("access", "issue", "--name", "a") == .done)
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    #expect(await bench.run("context", "list") == .refused)
    #expect(bench.errors.lines.last?.contains("chmod 600") == true)
    let talosconfig = "context: a\ncontexts:\n  a:\n    endpoints: [10.0.0.1]\n"
    try FileManager.default.removeItem(atPath: path)
    _ = FileManager.default.createFile(
      atPath: path, contents: Data(talosconfig.utf8), attributes: [.posixPermissions: 0o600])
    #expect(await bench.run("access", "issue", "--name", "b") == .failed)
    #expect(bench.errors.lines.last?.contains("it is a talosconfig") == true)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == talosconfig)
  }

  @Test("Nothing is issued when there is no place for it")
  func noPlace() async throws {
    let asked = Asked()
    let bench = bench(issuing(asked))
    let file = folder.path("taken")
    try "x".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(
      await bench.run("access", "issue", "--name", "a", "--output-file", file) == .refused)
    #expect(
      await bench.run("access", "issue", "--name", "a", "--cluster", "x") == .wrongUsage)
    #expect(await bench.run("access", "issue") == .wrongUsage)
    #expect(asked.certificates.withLock { $0.isEmpty })
    #expect(
      await bench.run("access", "issue", "--name", "a", "--output-file", file, "--force") == .done)
    #expect(try mode(file) == 0o600)
  }

  @Test("What was issued is listed, and a grant of another CA is revoked by its serial number")
  func list() async throws {
    let revoked = Mutex<RevokeAccessRequest?>(nil)
    var service = FakeService()
    service.listAccess = { request in
      var response = ListAccessResponse()
      var grant = AccessGrant()
      grant.id = request.pageToken.isEmpty ? "5e71" : "t-1"
      grant.kind = request.pageToken.isEmpty ? .certificate : .token
      grant.name = "alice"
      grant.role = .admin
      grant.expiresAt = .init(seconds: Samples.now.seconds + (request.pageToken.isEmpty ? 60 : -60))
      response.grants = [grant]
      response.nextPageToken = request.pageToken.isEmpty ? "5e71" : ""
      return response
    }
    service.revokeAccess = { request in
      revoked.withLock { $0 = request }
      var response = RevokeAccessResponse()
      response.endedCalls = 2
      response.grant = AccessGrant()
      response.grant?.id = request.id
      return response
    }
    let bench = bench(service)
    #expect(await bench.run("access", "list") == .done)
    #expect(bench.output.lines.count == 3)
    #expect(bench.output.lines[1].contains("valid") && bench.output.lines[2].contains("expired"))
    #expect(await bench.run("access", "revoke", "0A:BC", "--foreign") == .done)
    #expect(revoked.withLock { $0?.id == "0A:BC" && $0?.foreignSerial == true })
    #expect(bench.output.lines.last?.hasSuffix("that were ended: 2") == true)
  }
}
