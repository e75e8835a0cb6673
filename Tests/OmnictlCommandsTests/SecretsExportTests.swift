import Foundation
import ProtoCodec
import RPC
import Schema
import Testing

@testable import OmnictlCommands

@Suite("Export of a secrets bundle")
struct SecretsExportTests {
  private func service() -> FakeService {
    var service = FakeService()
    service.exportSecrets = { request in
      #expect(request.cluster == "demo")
      var response = ExportSecretsResponse()
      response.secretsBundle = "cluster: {}\n"
      return response
    }
    return service
  }

  @Test(
    "The bundle goes into a file with mode 0600, and an existing one is left alone without --force")
  func file() async throws {
    let path = NSTemporaryDirectory() + "omnid-secrets-\(UInt64.random(in: 0...UInt64.max)).yaml"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let line = ["cluster", "-n", "demo", "secrets", "export", "--output-file", path]
    let bench = Bench(service())
    #expect(await bench.run(line) == .done)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "cluster: {}\n")
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(!bench.output.text.contains("cluster: {}") && bench.output.text.contains(path))
    let again = Bench(service())
    #expect(await again.run(line) == .refused)
    #expect(again.errors.text.contains("--force replaces it"))
    let json = Bench(service())
    #expect(await json.run(line + ["--force", "-o", "json"]) == .done)
    #expect(!json.output.text.contains("cluster: {}"), "no key on the output beside the file")
  }

  @Test("- writes it to the output")
  func output() async {
    let bench = Bench(service())
    #expect(
      await bench.run("cluster", "-n", "demo", "secrets", "export", "--output-file", "-") == .done)
    #expect(bench.output.text == "cluster: {}\n")
  }
}
