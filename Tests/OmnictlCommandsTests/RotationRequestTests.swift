import ProtoCodec
import RPC
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite struct RotationRequestTests {
  @Test("Each flag of a rotation is its field, and none is set by itself")
  func flags() async {
    let sent = Mutex(RotateSecretRequest())
    var service = FakeService()
    service.rotate = { request in
      sent.withLock { $0 = request }
      return RotateSecretResponse(Samples.succeeded())
    }
    let line = ["cluster", "-n", "demo", "secret", "rotate", "kubernetes-ca"]
    #expect(await Bench(service).run(line) == .done)
    let plain = sent.withLock { $0 }
    #expect(!plain.removeForeign && !plain.allowUnready && !plain.allowUnmanagedNodes)
    let fields: [(String, KeyPath<RotateSecretRequest, Bool>)] = [
      ("--remove-foreign", \.removeForeign), ("--allow-unready", \.allowUnready),
      ("--allow-unmanaged-nodes", \.allowUnmanagedNodes), ("--owner-ack", \.ownerAck),
    ]
    for (flag, field) in fields {
      #expect(await Bench(service).run(line + [flag]) == .done)
      let request = sent.withLock { $0 }
      #expect(fields.filter { request[keyPath: $0.1] }.map(\.0) == [flag])
      #expect(request[keyPath: field])
    }
  }

  @Test(
    "A reason is a cause, a cause with a text, or a text",
    arguments: [
      ("leaked-kubeconfig", RotationCause.leakedKubeconfig, ""),
      ("leaked-talosconfig: laptop of ann", .leakedTalosconfig, "laptop of ann"),
      ("leaked-secrets:git", .leakedSecrets, "git"), ("routine", .routine, ""),
      ("leaked kubeconfigs", .unspecified, "leaked kubeconfigs"),
      ("it is routine: yearly", .unspecified, "it is routine: yearly"),
    ])
  func reasons(given: String, cause: RotationCause, text: String) async {
    let sent = Mutex(RotateSecretRequest())
    var service = FakeService()
    service.rotate = { request in
      sent.withLock { $0 = request }
      return RotateSecretResponse(Samples.succeeded())
    }
    let line = ["cluster", "-n", "demo", "secret", "rotate", "kubernetes-ca", "--reason", given]
    #expect(await Bench(service).run(line) == .done)
    #expect(sent.withLock { $0.cause } == cause && sent.withLock { $0.reason } == text)
  }

  @Test("How many workers are changed at once is the server's business unless it is said")
  func workers() async {
    let sent = Mutex(RotateSecretRequest())
    var service = FakeService()
    service.rotate = { request in
      sent.withLock { $0 = request }
      return RotateSecretResponse(Samples.succeeded())
    }
    let line = ["cluster", "-n", "demo", "secret", "rotate", "talos-ca"]
    #expect(await Bench(service).run(line) == .done)
    #expect(sent.withLock { $0.maxParallelWorkers } == 0)
    #expect(await Bench(service).run(line + ["--max-parallel-workers", "3"]) == .done)
    #expect(sent.withLock { $0.maxParallelWorkers } == 3)
    #expect(await Bench(service).run(line + ["--max-parallel-workers", "0"]) == .wrongUsage)
  }

  @Test("A mark is cleared by its name, and a cluster shows its marks with what to do")
  func marks() async {
    var service = FakeService()
    service.clearMark = { request in
      #expect(request.cluster == "demo" && request.mark == "leaked-secrets")
      return ClearClusterMarkResponse()
    }
    var cluster = Samples.clusters()[0]
    var mark = ClusterMark()
    mark.name = "leaked-secrets"
    mark.since = Samples.later(0)
    mark.detail = "replace these"
    cluster.marks = [mark]
    let known = cluster
    service.getCluster = { _ in
      var response = GetClusterResponse()
      response.cluster = known
      return response
    }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "-n", "demo", "mark", "clear", "leaked-secrets") == .done)
    #expect(bench.output.text == "cluster demo has no mark leaked-secrets any more\n")
    let shown = Bench(service)
    #expect(await shown.run("cluster", "get", "demo") == .done)
    #expect(
      shown.output.text.contains(
        "leaked-secrets since \(Moment.text(Samples.later(0))): replace these"))
  }

  @Test("Attached with --remove-foreign, the output says that it counts from now on")
  func removesForeign() async {
    var service = FakeService()
    service.rotate = { _ in RotateSecretResponse(Samples.rotation(), attached: true) }
    let bench = Bench(service)
    #expect(
      await bench.run(
        "cluster", "-n", "demo", "secret", "rotate", "talos-ca", "--remove-foreign", "-w=false")
        == .done)
    #expect(
      bench.output.lines.first
        == "rotation of talos-ca of cluster demo is in progress: attached (r-1); "
        + "foreign CAs are removed from now on")
  }

  static func aborted() -> RotationStatus {
    var status = Samples.rotation(state: .aborted)
    status.status = "rotation aborted"
    status.step = "no machine was changed"
    status.finishedAt = Samples.later(9)
    status.nextSteps = ["start it again when cp-2 is back"]
    return status
  }

  @Test("A rotation that is cancelled: by its name or whichever runs, exit 0")
  func abort() async throws {
    let sent = Mutex<[AbortRotationRequest]>([])
    var service = FakeService()
    service.abort = { request in
      sent.withLock { $0.append(request) }
      var response = AbortRotationResponse()
      response.status = Self.aborted()
      return response
    }
    let line = ["cluster", "-n", "demo", "secret", "rotate", "abort"]
    let bench = Bench(service)
    #expect(await bench.run(line) == .done)
    #expect(
      bench.output.text == """
        rotation of talos-ca of cluster demo: ABORTED (r-1)
        what comes next:
          - start it again when cp-2 is back

        """)
    #expect(await Bench(service).run(line + ["r-1"]) == .done)
    #expect(sent.withLock { $0.map(\.rotationID) } == ["", "r-1"])
    #expect(sent.withLock { $0.allSatisfy { $0.cluster == "demo" } })
    let json = Bench(service)
    #expect(await json.run(line + ["-o", "json"]) == .done)
    #expect(try AbortRotationResponse(json: json.output.text).status == Self.aborted())
  }

  @Test("A rotation that has touched machines is not cancelled: exit 3, and how to follow it")
  func tooLate() async {
    let bench = Bench(
      RefusalTests.refusing(
        [("OLD_CA_RETIRED", "demo", "cp-1 has been changed")], message: "cp-1 has been changed"))
    #expect(await bench.run("cluster", "-n", "demo", "secret", "rotate", "abort") == .refused)
    #expect(
      bench.errors.text
        == "omnictl: cp-1 has been changed; follow it: "
        + "omnictl cluster -n demo secret rotate status\n")
  }

  @Test("Who waits for a rotation that somebody cancels gets exit 1")
  func waitsForAborted() async {
    let bench = Bench(
      FollowTests.service { _, writer in try await writer.write(Self.aborted()) })
    #expect(await bench.run(FollowTests.rotate) == .failed)
    #expect(bench.output.text.contains("ABORTED"))
    #expect(bench.errors.text.contains("was aborted"))
  }

  @Test("A cluster forgotten by force: what is lost is said")
  func forget() async throws {
    let sent = Mutex<[Bool]>([])
    var service = FakeService()
    service.forget = { request in
      sent.withLock { $0.append(request.force) }
      var response = ForgetClusterResponse()
      if request.force { response.lost = ["the key of CA abab", "the history"] }
      return response
    }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "forget", "demo", "--force") == .done)
    #expect(
      bench.output.text == """
        forgot cluster demo
        lost with it:
          - the key of CA abab
          - the history

        """)
    let plain = Bench(service)
    #expect(await plain.run("cluster", "forget", "demo") == .done)
    #expect(plain.output.text == "forgot cluster demo\n")
    let declined = Bench(service, answer: "n")
    #expect(await declined.run("cluster", "forget", "demo", "--force") == .failed)
    #expect(declined.output.text.contains("deletes its CA keys"))
    #expect(declined.errors.text.contains("is not forgotten"))
    let json = Bench(service)
    #expect(await json.run("cluster", "forget", "demo", "--force", "-o", "json") == .done)
    #expect(try ForgetClusterResponse(json: json.output.text).lost.count == 2)
    let agreed = Bench(service, answer: "y")
    #expect(await agreed.run("cluster", "forget", "demo") == .done)
    let unasked = Bench(service, answer: "n")
    #expect(await unasked.run("cluster", "forget", "demo", "--yes") == .done)
    #expect(sent.withLock { $0 } == [true, false, true, false, false])
  }

  @Test("The addresses of an import are repeated, or stand with commas")
  func endpoints() async throws {
    let sent = Mutex<[String]>([])
    var service = FakeService()
    service.importCluster = { request in
      sent.withLock { $0 = request.endpoints }
      return ImportClusterResponse()
    }
    let folder = try TemporaryFolder()
    try folder.write("context: demo\n", to: "talosconfig")
    #expect(
      await Bench(service).run(
        "cluster", "import", "demo", "--talosconfig", folder.path("talosconfig"), "--endpoints",
        "10.0.0.1, 10.0.0.2:50000", "--endpoints=[fd00::3]:50000") == .done)
    #expect(sent.withLock { $0 } == ["10.0.0.1", "10.0.0.2:50000", "[fd00::3]:50000"])
  }
}
