import Crypto
import Evidence
import ProtoCodec
import RPC
import Schema
import Testing

@testable import OmnictlCommands

@Suite("Reports")
struct ReportCommandTests {
  static func signed(_ text: String = "report\n") throws -> SignedReport {
    try SignedReport(
      signing: text, with: SigningKey(seed: SecretBytes(copying: [UInt8](repeating: 7, count: 32))))
  }

  @Test("The proof of a rotation is printed as it came, byte for byte")
  func proof() async throws {
    let document = try Self.signed().document
    var service = FakeService()
    service.report = { request in
      #expect(request.cluster == "demo" && request.rotationID == "r-1")
      var response = GetRotationReportResponse()
      response.report = document
      response.keyFingerprint = "f00d"
      return response
    }
    let bench = Bench(service)
    let line = ["cluster", "-n", "demo", "secret", "rotate", "proof", "r-1"]
    #expect(await bench.run(line) == .done)
    #expect(bench.output.text == document)
    let json = Bench(service)
    #expect(await json.run(line + ["-o", "json"]) == .done)
    #expect(try GetRotationReportResponse(json: json.output.text).report == document)
  }

  @Test("A report is verified without a server, and compared with the key that is known")
  func verify() async throws {
    let report = try Self.signed()
    let folder = try TemporaryFolder()
    try folder.write(report.document, to: "report.txt")
    let path = folder.path("report.txt")
    let bench = Bench()
    #expect(await bench.run("report", "verify", path) == .done)
    #expect(bench.output.text.contains(report.keyFingerprint))
    #expect(bench.output.text.contains("compared with nothing"))
    let known = Bench()
    #expect(await known.run("report", "verify", path, "--key", report.keyFingerprint) == .done)
    #expect(known.output.text.contains("which is the one that was given"))
    let other = Bench()
    #expect(await other.run("report", "verify", path, "--key", "abcd") == .failed)
    #expect(other.errors.text.contains("not with abcd"))
    let json = Bench()
    #expect(await json.run("report", "verify", path, "-o", "json") == .done)
    #expect(json.output.text.hasPrefix("{\"valid\":true,"))
  }

  @Test("A report that was changed, or is none, ends with exit code 1 and the reason")
  func invalid() async throws {
    let folder = try TemporaryFolder()
    try folder.write(
      try Self.signed().document.replacing("report\n", with: "repord\n"), to: "changed.txt")
    let changed = folder.path("changed.txt")
    let bench = Bench()
    #expect(await bench.run("report", "verify", changed) == .failed)
    #expect(bench.errors.text.contains("the report was changed"))
    let missing = Bench()
    #expect(await missing.run("report", "verify", changed + "-not") == .failed)
    #expect(missing.errors.text.contains("cannot be read"))
  }

  @Test("A retired CA goes into a file of mode 0600, and nowhere else")
  func retiredCA() async throws {
    var service = FakeService()
    service.exportCA = { request in
      #expect(request.cluster == "demo" && request.rotationID == "r-1")
      var response = ExportRetiredCAResponse()
      response.fingerprint = String(repeating: "ab", count: 32)
      response.certificate = "CERTIFICATE\n"
      response.privateKey = "KEY\n"
      return response
    }
    let folder = try TemporaryFolder()
    let path = folder.path("ca.pem")
    let line = ["cluster", "-n", "demo", "secret", "rotate", "export-ca", "r-1", "--output-file"]
    for format in ["table", "json"] {
      let bench = Bench(service)
      #expect(await bench.run(line + [path, "--force", "-o", format]) == .done)
      #expect(!bench.output.text.contains("KEY"))
    }
    #expect(try folder.text("ca.pem") == "CERTIFICATE\nKEY\n")
    #expect(try folder.mode("ca.pem") == 0o600)
    #expect(await Bench(service).run(line + [path]) == .refused)
    #expect(await Bench(service).run(line + ["-"]) == .wrongUsage)
  }

  @Test("The timeline of one rotation shows each turn in the order in which they began")
  func timeline() async throws {
    var status = Samples.succeeded()
    status.refusedEverywhereAt = Samples.later(70)
    for (index, seconds) in [30, 10, 20].enumerated() {
      var times = RotationStageTimes()
      times.phase = .preRotate
      times.begunAt = Samples.later(Int64(seconds))
      times.verifiedAt = Samples.later(Int64(seconds) + 5)
      status.machines[index].stageTimes = [times]
    }
    let known = status
    var service = FakeService()
    service.history = { request in
      var response = ListRotationsResponse()
      if request.pageToken.isEmpty {
        response.nextPageToken = "more"
      } else {
        response.rotations = [known]
      }
      return response
    }
    let bench = Bench(service)
    let line = ["cluster", "-n", "demo", "secret", "rotate", "history"]
    #expect(await bench.run(line + ["r-1"]) == .done)
    let text = bench.output.text
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("PRE-ROTATE") }
    #expect(rows.map { $0.split(separator: " ")[1] } == ["cp-2", "cp-3", "cp-1"])
    #expect(rows.allSatisfy { $0.hasSuffix("5s") })
    #expect(text.contains("refused everywhere:  \(Moment.text(Samples.later(70)))"))
    let missing = Bench(service)
    #expect(await missing.run(line + ["r-2"]) == .notFound)
    #expect(missing.errors.text.contains("has no rotation r-2"))
  }
}
