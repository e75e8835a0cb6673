import Foundation
import ProtoCodec
import RPC
import Schema
import Testing

@testable import OmnictlCommands

@Suite("Trust bundles")
struct TrustBundleTests {
  private func service(outdated: Bool = false) -> FakeService {
    var service = FakeService()
    service.trustBundle = { request in
      #expect(request.cluster == "demo")
      var answer = GetTrustBundleResponse()
      answer.cluster = "demo"
      answer.recordOutdated = outdated
      var bundle = TrustBundle()
      bundle.component = .talosCA
      bundle.rotationID = "r-1"
      bundle.phase = .rotate
      bundle.authorities = [(CertificateAuthorityGeneration.old, "aa"), (.new, "bb")].map {
        var authority = TrustedCA()
        authority.generation = $0
        authority.fingerprint = String(repeating: $1, count: 32)
        authority.issuing = true
        authority.certificate = "PEM \($1)\n"
        return authority
      }
      answer.bundles = [bundle]
      return answer
    }
    return service
  }

  private func run(_ bench: Bench, _ more: String...) async -> ExitCode {
    await bench.run(["cluster", "-n", "demo", "trust-bundle"] + more)
  }

  @Test("A table shows which CAs there are and why; one component is written in PEM")
  func output() async {
    let table = Bench(service())
    #expect(await run(table) == .done)
    let lines = table.output.text.split(separator: "\n").map {
      $0.split(separator: " ").map(String.init)
    }
    #expect(lines.first == ["COMPONENT", "FINGERPRINT", "CA", "ISSUES", "ROTATION"])
    #expect(lines.dropFirst().map { $0[2] } == ["old", "new"])
    #expect(lines.last?.suffix(3) == ["yes", "r-1", "ROTATE"])
    let pem = Bench(service())
    #expect(await run(pem, "--component", "talos-ca") == .done)
    #expect(pem.output.text == "PEM aa\nPEM bb\n")
    let json = Bench(service())
    #expect(await run(json, "-o", "json") == .done)
    #expect(json.output.text.contains("CERTIFICATE_AUTHORITY_GENERATION_NEW"))
  }

  @Test("A file is written whole, and one that is there is left alone without --force")
  func file() async throws {
    let path = NSTemporaryDirectory() + "omnid-trust-\(UInt64.random(in: 0...UInt64.max)).pem"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let bench = Bench(service())
    #expect(await run(bench, "--component", "talos-ca", "--output-file", path) == .done)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "PEM aa\nPEM bb\n")
    #expect(bench.output.text.contains("wrote 2 CAs"))
    let again = Bench(service())
    #expect(await run(again, "--component", "talos-ca", "--output-file", path) == .refused)
    let forced = Bench(service())
    #expect(
      await run(forced, "--component", "talos-ca", "--output-file", path, "--force") == .done)
  }

  @Test("What cannot be done is said: no such component, a file of both, --force without a file")
  func refusals() async {
    #expect(await run(Bench(service()), "--component", "etcd-ca") == .wrongUsage)
    #expect(await run(Bench(service()), "--output-file", "/nonexistent/x") == .wrongUsage)
    #expect(await run(Bench(service()), "--force") == .wrongUsage)
    #expect(await run(Bench(service()), "--component", "kubernetes-ca") == .notFound)
  }

  @Test("A record that is older than the machines is told of on the error output")
  func outdated() async {
    let bench = Bench(service(outdated: true))
    #expect(await run(bench, "--component", "talos-ca") == .done)
    #expect(bench.output.text == "PEM aa\nPEM bb\n")
    #expect(bench.errors.text.contains("cluster adopt demo --talosconfig"))
  }
}
