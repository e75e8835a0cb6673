import Evidence
import Foundation
import RPC
import Schema
import Testing

@testable import OmnictlCommands

/// What programs read: every verb's output, and what is told beside it.
@Suite("-o json")
final class JSONTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A command line for every verb.
  private func lines() throws -> [String: [String]] {
    try folder.write(CredentialCheckTests.talosconfig, to: "talosconfig")
    try folder.write(ReportCommandTests.signed().document, to: "report")
    let rotate = ["cluster", "-n", "demo", "secret", "rotate"]
    let files = folder.path("")
    return [
      "cluster import": ["cluster", "import", "demo", "--talosconfig", "\(files)/talosconfig"],
      "cluster adopt": ["cluster", "adopt", "demo"],
      "cluster list": ["cluster", "list"], "cluster get": ["cluster", "get", "demo"],
      "cluster forget": ["cluster", "forget", "demo"],
      "cluster lock": ["cluster", "lock", "demo"], "cluster unlock": ["cluster", "unlock", "demo"],
      "cluster machine list": ["cluster", "-n", "demo", "machine", "list"],
      "cluster machine lock": ["cluster", "-n", "demo", "machine", "lock", "cp-1"],
      "cluster machine unlock": ["cluster", "-n", "demo", "machine", "unlock", "cp-1"],
      "cluster mark clear": ["cluster", "-n", "demo", "mark", "clear", "leaked-secrets"],
      "cluster secrets export": [
        "cluster", "-n", "demo", "secrets", "export", "--output-file", "\(files)/secrets.yaml",
      ],
      "cluster talosconfig": ["cluster", "-n", "demo", "talosconfig"],
      "cluster trust-bundle": ["cluster", "-n", "demo", "trust-bundle"],
      "cluster kubeconfig": ["cluster", "-n", "demo", "kubeconfig", "--break-glass"],
      "cluster secret rotate talos-ca": rotate + ["talos-ca"],
      "cluster secret rotate kubernetes-ca": rotate + ["kubernetes-ca", "--dry-run"],
      "cluster secret rotate status": rotate + ["status"],
      "cluster secret rotate abort": rotate + ["abort"],
      "cluster secret rotate continue": rotate + ["continue", "--wait=false"],
      "cluster secret rotate adopt": rotate + ["adopt", "--dry-run"],
      "cluster secret rotate history": rotate + ["history"],
      "cluster secret rotate proof": rotate + ["proof"],
      "cluster secret rotate export-ca": rotate + [
        "export-ca", "--output-file", "\(files)/retired.pem",
      ],
      "check": ["check"], "credential check": ["credential", "check", "\(files)/talosconfig"],
      "audit": ["audit"], "access list": ["access", "list"],
      "access issue": ["access", "issue", "--name", "a", "--token", "--output-file", "-"],
      "access revoke": ["access", "revoke", "1"], "dashboard": ["dashboard"],
      "context add": ["context", "add", "here", "--endpoint", "unix:/tmp/s"],
      "context list": ["context", "list"], "context use": ["context", "use", "here"],
      "context remove": ["context", "remove", "here"],
      "report verify": ["report", "verify", "\(files)/report"], "version": ["version"],
    ]
  }

  /// Answers every call with something.
  private func service() throws -> FakeService {
    var service = try ContextTests().issuing()
    var grant = AccessGrant()
    grant.id = "1"
    let rotated = Samples.succeeded()
    service.rotate = { request in
      var response = RotateSecretResponse(request.dryRun ? RotationStatus() : Samples.rotation())
      if request.dryRun { response.plan = RotationPlan() }
      return response
    }
    service.status = { _ in
      var response = GetRotationStatusResponse()
      response.status = rotated
      return response
    }
    service.history = { _ in
      var response = ListRotationsResponse()
      response.rotations = [rotated]
      return response
    }
    service.watch = { _, writer in
      try await writer.write(Samples.waiting())
      try await writer.write(rotated)
    }
    service.report = { _ in GetRotationReportResponse() }
    service.exportCA = { _ in ExportRetiredCAResponse() }
    service.clearMark = { _ in ClearClusterMarkResponse() }
    service.audit = { _ in AuditCommandTests.log }
    service.goOn = { _ in ContinueRotationResponse() }
    service.abort = { _ in
      var response = AbortRotationResponse()
      response.status = Samples.rotation(state: .aborted)
      return response
    }
    service.adopt = { _ in AdoptRotationResponse() }
    service.checkCredential = { _ in CheckCredentialResponse() }
    service.importCluster = { _ in ImportClusterResponse() }
    service.getCluster = { _ in
      var response = GetClusterResponse()
      response.cluster = Samples.clusters()[0]
      return response
    }
    service.forget = { _ in ForgetClusterResponse() }
    service.lockCluster = { _ in LockClusterResponse() }
    service.unlockCluster = { _ in UnlockClusterResponse() }
    service.lockMachine = { _ in LockMachineResponse() }
    service.unlockMachine = { _ in UnlockMachineResponse() }
    service.exportSecrets = { _ in ExportSecretsResponse() }
    service.trustBundle = { _ in GetTrustBundleResponse() }
    service.talosconfig = { _ in TalosconfigResponse() }
    service.kubeconfig = { _ in KubeconfigResponse() }
    service.listAccess = { [grant] _ in
      var response = ListAccessResponse()
      response.grants = [grant]
      return response
    }
    service.revokeAccess = { _ in RevokeAccessResponse() }
    service.dashboardLink = { _ in CreateDashboardLinkResponse() }
    service.dashboardSession = { _ in GetDashboardSessionResponse() }
    return service
  }

  /// Each line as an object; what is none is a failure of the test.
  private func objects(_ text: String, _ verb: String) -> [[String: Any]] {
    #expect(text.isEmpty || text.hasSuffix("\n"), "\(verb)")
    return text.split(separator: "\n", omittingEmptySubsequences: true).compactMap { line in
      let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      if object == nil { Issue.record("\(verb) prints no object: \(line)") }
      return object
    }
  }

  @Test("Every verb prints documents of a line each, and tells what it tells in the same form")
  func verbs() async throws {
    let lines = try lines()
    // A script is a script in whatever form.
    let leaves = CompletionNode.all(CommandTree.root).filter { $0.command.action != nil }
      .map { String($0.path.dropFirst("omnictl ".count)) }.filter { $0 != "completion" }
    #expect(Set(lines.keys) == Set(leaves))
    let order = ["context add", "context list", "context use"]
    for verb in order + lines.keys.sorted().filter({ !order.contains($0) }) {
      let bench = Bench(
        try service(), variables: ["OMNICTL_CONFIG": folder.path("contexts/config.yaml")])
      let code = await bench.run(try #require(lines[verb]) + ["-o", "json"])
      #expect(code == .done, "\(verb): \(bench.errors.text)")
      let documents = objects(bench.output.text, verb)
      #expect(!documents.isEmpty, "\(verb)")
      let isStream = ["audit", "cluster secret rotate talos-ca"].contains(verb)
      #expect(documents.count == 1 || isStream, "\(verb)")
      for notice in objects(bench.errors.text, verb) {
        #expect(Set(notice.keys) == ["notice"], "\(verb)")
      }
    }
  }

  @Test("What fails, fails in the same form, a line typed wrong and a server that is away included")
  func failures() async throws {
    for line in [
      ["cluster", "get", "x"], ["cluster", "lst"], ["cluster", "list", "--timeout", "5"],
      ["credential", "check", "/nowhere"], ["context", "use", "nobody"],
      ["report", "verify", "/x"],
    ] {
      for flag in [["-o", "json"], ["--output=json"], ["-ojson"]] {
        let bench = Bench(
          CommandTests.failing(RPCError(.unavailable, "connection refused")),
          variables: ["OMNICTL_CONFIG": folder.path("none.yaml")])
        let code = await bench.run(flag + line)
        #expect(code != .done && bench.output.text.isEmpty, "\(line)")
        let found = objects(bench.errors.text, line.joined(separator: " "))
        let error = try #require(found.last?["error"] as? [String: Any], "\(line)")
        #expect(error["exitCode"] as? Int == Int(code.rawValue))
        #expect(
          Set(error.keys) == ["code", "exitCode", "message", "hint", "findings"], "\(line)")
      }
    }
  }
}
