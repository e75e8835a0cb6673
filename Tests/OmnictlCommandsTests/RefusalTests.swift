import Foundation
import RPC
import Schema
import Testing

@testable import OmnictlCommands

@Suite struct RefusalTests {
  static let rotate = ["cluster", "-n", "demo", "secret", "rotate", "talos-ca"]

  /// A service that refuses with these findings, each a type, a subject and a description.
  static func refusing(
    _ findings: [(String, String, String)], message: String = "the rotation cannot reach its end"
  ) -> FakeService {
    var failure = GoogleRPC.PreconditionFailure()
    failure.violations = findings.map { type, subject, description in
      var violation = GoogleRPC.PreconditionFailure.Violation()
      violation.type = type
      violation.subject = subject
      violation.description = description
      return violation
    }
    let error = RPCError(
      .failedPrecondition, message, details: [CommandTests.detail(failure)])
    var service = FakeService()
    service.rotate = { _ in throw error }
    service.abort = { _ in throw error }
    service.forget = { _ in throw error }
    return service
  }

  static let findings = [
    ("FOREIGN_CA", "cp-1", "accepts CA 5658, which is neither the old nor the new one"),
    ("UNREADY", "demo", "node worker-1 was NotReady before: container runtime network not ready"),
    (
      "FOREIGN_CA", "machines/cp-2",
      "cp-2: accepts CA 5658, which is neither the old nor the new one"
    ),
    ("CLOCK", "cp-3", "its clock says 14:02, this host's 16:03"),
  ]

  @Test(
    "Several findings get a line each, those that say the same one together, and the flags last")
  func grouped() async {
    let bench = Bench(Self.refusing(Self.findings))
    #expect(await bench.run(Self.rotate) == .refused)
    #expect(
      bench.errors.text == """
        omnictl: the rotation cannot reach its end
          FOREIGN_CA: cp-1, cp-2: accepts CA 5658, which is neither the old nor the new one
          UNREADY: node worker-1 was NotReady before: container runtime network not ready
          CLOCK: cp-3: its clock says 14:02, this host's 16:03
        omnictl: --remove-foreign takes the foreign CAs out of every trust list; --allow-unready \
        starts all the same and does not wait for what is unwell now; set the clocks right first

        """)
    #expect(bench.output.text.isEmpty)
  }

  @Test("On a terminal of 80 columns findings are broken into lines, and every word is there")
  func wrapped() async {
    let whole = Bench(Self.refusing(Self.findings))
    _ = await whole.run(Self.rotate)
    let bench = Bench(Self.refusing(Self.findings), errorColumns: 80)
    #expect(await bench.run(Self.rotate) == .refused)
    #expect(bench.errors.lines.allSatisfy { DisplayWidth.of($0) < 80 })
    #expect(
      bench.errors.text.split { $0 == " " || $0 == "\n" }
        == whole.errors.text.split { $0 == " " || $0 == "\n" })
    #expect(bench.errors.lines[2] == "    new one")
  }

  @Test("One finding is one line, with its flag, however narrow the terminal")
  func single() async {
    let bench = Bench(
      Self.refusing(
        [("UNMANAGED_NODE", "demo", "node old-7 is no machine")],
        message: "node old-7 is no machine"),
      errorColumns: 40)
    #expect(await bench.run(Self.rotate + ["--dry-run"]) == .refused)
    #expect(
      bench.errors.text
        == "omnictl: node old-7 is no machine; --allow-unmanaged-nodes starts all the same; "
        + "a Kubernetes CA rotation locks those nodes out\n")
  }

  @Test("A message that says the findings already is not said twice")
  func once() async {
    let bench = Bench(
      Self.refusing(Self.findings, message: Self.findings.map(\.2).joined(separator: "; ")))
    #expect(await bench.run(Self.rotate) == .refused)
    #expect(bench.errors.lines.first == "omnictl: refused for 4 reasons")
    #expect(bench.errors.text.components(separatedBy: "its clock says").count == 2)
  }

  @Test("Every type that the schema names has an advice")
  func advice() async {
    for type in [
      "ROTATION_IN_PROGRESS", "TALOS_VERSION", "MACHINE_UNREACHABLE", "FOREIGN_CA", "CA_EXPIRED",
      "CA_EXPIRES",
      "CLOCK", "UNREADY", "CONFIG_PENDING", "CONFIG_UNEDITABLE", "KEY_MISSING", "NOT_COVERED",
      "UNMANAGED_NODE", "ROTATED_ELSEWHERE", "NO_ROTATION", "OLD_CA_RETIRED",
    ] {
      let bench = Bench(Self.refusing([(type, "demo", "what is")], message: "what is"))
      #expect(await bench.run(Self.rotate) == .refused)
      #expect(bench.errors.lines.count == 1)
      #expect(bench.errors.text.hasPrefix("omnictl: what is; "), "\(type)")
    }
  }

  @Test("With -o json a refusal is one object on standard error")
  func json() async throws {
    let bench = Bench(Self.refusing(Self.findings, message: "a \"b\"\n\\c"), errorColumns: 40)
    #expect(await bench.run(Self.rotate + ["-o", "json"]) == .refused)
    #expect(bench.output.text.isEmpty)
    #expect(bench.errors.lines.count == 1)
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(bench.errors.text.utf8)) as? [String: Any])
    let error = try #require(object["error"] as? [String: Any])
    #expect(error["code"] as? String == "FAILED_PRECONDITION")
    #expect(error["exitCode"] as? Int == 3)
    #expect(error["message"] as? String == "a \"b\" \\c")
    #expect((error["hint"] as? String)?.contains("--remove-foreign") == true)
    let findings = try #require(error["findings"] as? [[String: String]])
    #expect(findings.map { $0["type"] } == Self.findings.map(\.0))
    #expect(findings.map { $0["subject"] } == Self.findings.map(\.1))
    #expect(findings.map { $0["description"] } == Self.findings.map(\.2))
  }

  @Test("With -o json every failure of a command is an object, a mistake in typing too")
  func otherFailures() async {
    let bench = Bench(CommandTests.failing(RPCError(.notFound, "no cluster named 'x'")))
    #expect(await bench.run("cluster", "get", "x", "-o", "json") == .notFound)
    #expect(
      bench.errors.text
        == #"{"error":{"code":"NOT_FOUND","exitCode":5,"message":"no cluster named 'x'","#
        + #""hint":"known clusters: omnictl cluster list","findings":[]}}"# + "\n")
    let typed = Bench()
    #expect(await typed.run("cluster", "gte", "x", "-o", "json") == .wrongUsage)
    #expect(
      typed.errors.text
        == #"{"error":{"code":"","exitCode":2,"message":"'omnictl cluster' has no command 'gte'","#
        + #""hint":"did you mean 'get'?","findings":[]}}"# + "\n")
    let wrong = Bench()
    #expect(await wrong.run("cluster", "list", "-o", "jsn") == .wrongUsage)
    #expect(wrong.errors.text.hasPrefix("omnictl: "))
  }

  @Test("To forget a cluster in the middle of a rotation, the ways out are named")
  func forget() async {
    let bench = Bench(
      Self.refusing([("ROTATION_IN_PROGRESS", "demo", "a rotation runs")], message: ""))
    #expect(await bench.run("cluster", "forget", "demo") == .refused)
    #expect(bench.errors.text.contains("omnictl cluster -n demo secret rotate abort"))
    #expect(bench.errors.text.contains("--force forgets the cluster all the same"))
  }
}
