import Glibc
import ProtoCodec
import RPC
import RPCTransport
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite struct CommandTests {
  static func detail(_ message: some Message) -> StatusDetail {
    StatusDetail(
      typeURL: "type.googleapis.com/\(type(of: message).protoName)", value: message.serialized())
  }

  static func failing(_ error: RPCError) -> FakeService {
    var service = FakeService()
    service.listClusters = { _ in throw error }
    service.getCluster = { _ in throw error }
    service.importCluster = { _ in throw error }
    service.rotate = { _ in throw error }
    return service
  }

  @Test(
    "Each status code has its exit code",
    arguments: [
      (StatusCode.invalidArgument, ExitCode.wrongUsage), (.failedPrecondition, .refused),
      (.alreadyExists, .refused), (.notFound, .notFound), (.permissionDenied, .noAccess),
      (.unauthenticated, .noAccess), (.unavailable, .unreachable), (.internalError, .failed),
      (.unknown, .failed), (.unimplemented, .failed), (.resourceExhausted, .failed),
      (.aborted, .failed), (.deadlineExceeded, .unreachable), (.dataLoss, .failed),
      (.outOfRange, .wrongUsage), (.cancelled, .failed),
    ])
  func exitCodes(code: StatusCode, exit: ExitCode) async {
    let bench = Bench(Self.failing(RPCError(code, "what happened")))
    #expect(await bench.run("cluster", "get", "demo") == exit)
    #expect(bench.output.text.isEmpty)
    #expect(bench.errors.lines.count == 1)
    #expect(bench.errors.text.hasPrefix("omnictl: "))
  }

  @Test("Another component's rotation: refused, with the server's reason and how to follow it")
  func otherComponent() async {
    var violation = GoogleRPC.PreconditionFailure.Violation()
    violation.type = "ROTATION_IN_PROGRESS"
    violation.description = "another rotation is already in progress for 'demo'"
    var failure = GoogleRPC.PreconditionFailure()
    failure.violations = [violation]
    let bench = Bench(
      Self.failing(
        RPCError(.failedPrecondition, violation.description, details: [Self.detail(failure)])))
    #expect(
      await bench.run("cluster", "-n", "demo", "secret", "rotate", "kubernetes-ca") == .refused)
    #expect(
      bench.errors.text
        == "omnictl: another rotation is already in progress for 'demo'; follow it: "
        + "omnictl cluster -n demo secret rotate status\n")
  }

  @Test("Fields that are wrong are named, once")
  func badRequest() async {
    var violation = GoogleRPC.BadRequest.FieldViolation()
    violation.field = "cluster"
    violation.description = "must be 1 to 63 letters"
    var detail = GoogleRPC.BadRequest()
    detail.fieldViolations = [violation]
    let bench = Bench(
      Self.failing(RPCError(.invalidArgument, "malformed request", details: [Self.detail(detail)])))
    #expect(await bench.run("cluster", "get", "X") == .wrongUsage)
    #expect(
      bench.errors.text
        == "omnictl: malformed request; cluster: must be 1 to 63 letters; "
        + "see 'omnictl cluster get --help'\n")
    let repeated = Bench(
      Self.failing(
        RPCError(
          .invalidArgument, "cluster must be 1 to 63 letters", details: [Self.detail(detail)])))
    _ = await repeated.run("cluster", "get", "X")
    #expect(repeated.errors.text.hasPrefix("omnictl: cluster must be 1 to 63 letters; see"))
  }

  @Test("A machine that does not answer the server is no server that cannot be reached")
  func unavailable() async {
    var info = GoogleRPC.ErrorInfo()
    info.reason = "CLUSTER_UNREACHABLE"
    let cluster = Bench(
      Self.failing(
        RPCError(.unavailable, "no control plane answers", details: [Self.detail(info)])))
    #expect(await cluster.run("cluster", "get", "demo") == .failed)
    #expect(cluster.errors.text == "omnictl: no control plane answers; try again\n")
    info.reason = "SERVER_DRAINING"
    let draining = Bench(
      Self.failing(RPCError(.unavailable, "draining", details: [Self.detail(info)])))
    #expect(await draining.run("cluster", "get", "demo") == .unreachable)
  }

  @Test("What a server sends cannot reach the terminal as commands")
  func hostile() async {
    let bench = Bench(Self.failing(RPCError(.internalError, "a\u{1B}[2J\nb")))
    _ = await bench.run("cluster", "list")
    #expect(bench.errors.lines.count == 1 && !bench.errors.text.contains("\u{1B}"))
    var service = FakeService()
    service.getCluster = { _ in
      var response = GetClusterResponse()
      var cluster = Samples.clusters()[0]
      cluster.name = "x\u{1B}[31m\u{9B}"
      response.cluster = cluster
      return response
    }
    for format in ["table", "json"] {
      let bench = Bench(service)
      #expect(await bench.run("cluster", "get", "demo", "-o", format) == .done)
      #expect(
        !bench.output.text.unicodeScalars.contains { $0 != "\n" && Printable.isHarmful($0) })
    }
  }

  @Test("The list goes through all pages, and ends when a server turns in a circle")
  func list() async throws {
    var service = FakeService()
    service.listClusters = { request in
      var response = ListClustersResponse()
      let clusters = Samples.clusters()
      response.clusters = request.pageToken.isEmpty ? [clusters[0]] : [clusters[1]]
      response.nextPageToken = "next"
      return response
    }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "list") == .done)
    #expect(
      bench.output.text == """
        NAME  TALOS    CONTROL-PLANES  WORKERS  ROTATION                     MARKS
        demo  v1.10.2  1               2        talos-ca RUNNING ROTATE 2/5  -
        idle  v1.9.0   0               0        -                            -

        """)
    let json = Bench(service)
    #expect(await json.run("cluster", "list", "-o", "json") == .done)
    #expect(try ListClustersResponse(json: json.output.text).clusters == Samples.clusters())
  }

  @Test("An empty list is a heading, and in JSON an empty array")
  func empty() async {
    var service = FakeService()
    service.listClusters = { _ in ListClustersResponse() }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "list") == .done)
    #expect(bench.output.lines.count == 1)
    let json = Bench(service)
    #expect(await json.run("cluster", "list", "-o", "json") == .done)
    #expect(json.output.text.contains("\"clusters\":[]"))
  }

  @Test("Machines are listed, in JSON by their schema")
  func machines() async throws {
    var service = FakeService()
    service.getCluster = { request in
      var response = GetClusterResponse()
      response.cluster = request.cluster == "demo" ? Samples.clusters()[0] : nil
      return response
    }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "-n", "demo", "machine", "list") == .done)
    #expect(
      bench.output.text == """
        MACHINE   ROLE           ADDRESS
        cp-1      control-plane  127.0.10.1
        worker-1  worker         127.0.10.2
        worker-2  worker         127.0.10.3

        """)
    let json = Bench(service)
    #expect(await json.run("cluster", "-n", "demo", "machine", "list", "-o", "json") == .done)
    #expect(try Cluster(json: json.output.text).machines == Samples.clusters()[0].machines)
  }

  @Test("Import sends the file and the context")
  func imports() async throws {
    let sent = Mutex(ImportClusterRequest())
    var service = FakeService()
    service.importCluster = { request in
      sent.withLock { $0 = request }
      var response = ImportClusterResponse()
      response.cluster = Samples.clusters()[0]
      return response
    }
    let folder = try TemporaryFolder()
    let path = folder.path("talosconfig")
    try folder.write("context: demo\n", to: "talosconfig")
    let bench = Bench(service)
    #expect(
      await bench.run("cluster", "import", "demo", "--talosconfig", path, "--context", "c") == .done
    )
    let request = sent.withLock { $0 }
    #expect(request.cluster == "demo" && request.context == "c")
    #expect(request.talosconfig == "context: demo\n")
    #expect(request.endpoints.isEmpty)
    #expect(bench.output.lines.first == "imported cluster demo: 1 control planes, 2 workers")
  }

  @Test("A talosconfig that cannot be read is wrong usage")
  func unreadable() async throws {
    let folder = try TemporaryFolder()
    try folder.write(bytes: [0xFF, 0xFE], to: "binary")
    try folder.write(bytes: [UInt8](repeating: 0x20, count: (1 << 20) + 1), to: "long")
    for name in ["missing", "binary", "long", "."] {
      let bench = Bench()
      let path = folder.path(name)
      #expect(await bench.run("cluster", "import", "demo", "--talosconfig", path) == .wrongUsage)
      #expect(bench.errors.text.contains("cannot be read"))
    }
  }

  @Test("Status on an idle cluster says so, and how the last rotation ended")
  func idle() async throws {
    var service = FakeService()
    var idle = RotationStatus()
    idle.cluster = "demo"
    idle.state = .idle
    var noted = Samples.succeeded()
    noted.notes = ["cp-1: applied again, 2nd time"]
    for (status, lines) in [
      (idle, ["no rotation in progress on cluster demo"]),
      (
        Samples.succeeded(),
        [
          "no rotation in progress on cluster demo",
          "last rotation: talos-ca SUCCEEDED at 2026-03-01T10:01:12Z after 1m12s (r-1)",
        ]
      ),
      (
        noted,
        [
          "no rotation in progress on cluster demo",
          "last rotation: talos-ca SUCCEEDED at 2026-03-01T10:01:12Z after 1m12s (r-1)",
          "notes:", "  - cp-1: applied again, 2nd time",
        ]
      ),
      (
        Samples.failed("disk full"),
        [
          "no rotation in progress on cluster demo",
          "last rotation: talos-ca FAILED at 2026-03-01T10:00:05Z after 5s (r-1): disk full",
        ]
      ),
    ] {
      service.status = { _ in
        var response = GetRotationStatusResponse()
        response.status = status
        return response
      }
      let bench = Bench(service)
      #expect(await bench.run("cluster", "-n", "demo", "secret", "rotate", "status") == .done)
      #expect(bench.output.lines == lines)
      let json = Bench(service)
      _ = await json.run("cluster", "-n", "demo", "secret", "rotate", "status", "-o", "json")
      #expect(try RotationStatus(json: json.output.text) == status)
    }
  }

  @Test("Status follows a running rotation, or shows it once without --wait")
  func running() async throws {
    var service = FakeService()
    service.status = { _ in
      var response = GetRotationStatusResponse()
      response.status = Samples.waiting()
      return response
    }
    service.watch = { _, writer in try await writer.write(Samples.succeeded()) }
    let followed = Bench(service)
    #expect(await followed.run("cluster", "-n", "demo", "secret", "rotate", "status") == .done)
    #expect(followed.output.lines.last?.contains("SUCCEEDED") == true)
    let once = Bench(service)
    #expect(
      await once.run("cluster", "-n", "demo", "secret", "rotate", "status", "--wait=false") == .done
    )
    #expect(once.output.lines.contains { $0.contains("    node worker-1 is NotReady") })
    let json = Bench(service)
    _ = await json.run("cluster", "-n", "demo", "secret", "rotate", "status", "-w=false", "-ojson")
    #expect(try RotationStatus(json: json.output.text) == Samples.waiting())
  }

  @Test("A dry run shows the plan and asks for nothing else")
  func plan() async {
    let sent = Mutex(RotateSecretRequest())
    var service = FakeService()
    service.rotate = { request in
      sent.withLock { $0 = request }
      var answer = RotateSecretResponse(Samples.succeeded())
      var plan = RotationPlan()
      let steps: [(RotationPhase, [String], [CertificateAuthorityGeneration])] = [
        (.preRotate, ["cp-1", "cp-2"], [.old, .new]), (.rotate, ["cp-1", "cp-2"], [.new, .old]),
        (.rotate, ["worker-1"], [.new, .old]), (.postRotate, ["worker-1", "worker-2"], [.new]),
      ]
      plan.steps = steps.map { phase, machines, accepted in
        var step = RotationPlanStep()
        step.phase = phase
        step.machines = machines
        step.controlPlane = machines[0].hasPrefix("cp")
        step.issuing = accepted[0]
        step.accepted = accepted
        return step
      }
      plan.notes = ["node bare-metal-7 is no machine of this cluster"]
      answer.plan = plan
      return answer
    }
    let bench = Bench(service)
    #expect(
      await bench.run("cluster", "-n", "demo", "secret", "rotate", "kubernetes-ca", "--dry-run")
        == .done)
    #expect(sent.withLock { $0.dryRun && $0.component == .kubernetesCA })
    #expect(
      bench.output.text == """
        To rotate kubernetes-ca of cluster demo; nothing has been changed.

        STAGE        ROLE           ISSUED-BY  ACCEPTED
        PRE-ROTATE   control-plane  old        old+new
        ROTATE       control-plane  new        new+old
        ROTATE       worker         new        new+old
        POST-ROTATE  worker         new        new

        control-plane, one at a time: cp-1, cp-2
        ROTATE worker: worker-1
        POST-ROTATE worker, side by side: worker-1, worker-2

        to know before:
          - node bare-metal-7 is no machine of this cluster

        """)
  }

  @Test("The history is a table, up to the limit")
  func history() async {
    var service = FakeService()
    let sizes = Mutex<[Int32]>([])
    service.history = { request in
      sizes.withLock { $0.append(request.pageSize) }
      var response = ListRotationsResponse()
      var status = Samples.succeeded()
      status.reason = "yearly"
      status.requester = "uid:1000"
      response.rotations = [status]
      response.nextPageToken = "p\(request.pageToken)"
      return response
    }
    let bench = Bench(service)
    #expect(
      await bench.run("cluster", "-n", "demo", "secret", "rotate", "history", "--limit", "2")
        == .done)
    #expect(sizes.withLock { $0 } == [2, 1])
    #expect(bench.output.lines.count == 3)
    #expect(
      bench.output.lines[1]
        == "2026-03-01T10:00:00Z  talos-ca   SUCCEEDED  1m12s  abababababababab  uid:1000  yearly  -"
        + "      r-1")
  }

  @Test("The endpoint is the flag's, the variable's, or the standard one")
  func endpoints() async {
    let bench = Bench(variables: ["XDG_RUNTIME_DIR": "/run/user/7"])
    _ = await bench.run("cluster", "list")
    _ = await bench.run("cluster", "list", "--endpoint", "unix:/x.sock")
    #expect(
      bench.endpoints == [.unix(path: "/run/user/7/omnid/omnid.sock"), .unix(path: "/x.sock")])
    #expect(
      ServerAddress.standard(userID: 0, variable: { _ in "/ignored" })
        == .unix(path: "/run/omnid/omnid.sock"))
    #expect(
      ServerAddress.standard(userID: 1000, variable: { _ in nil })
        == .unix(path: "/run/user/1000/omnid/omnid.sock"))
  }

  @Test(
    "A name that is not known gets the one that was probably meant",
    arguments: [
      (["cluster", "get", "dmeo"], "demo"),
      (["cluster", "-n", "demo", "machine", "lock", "worker-3"], "worker-1"),
      (["cluster", "-n", "dem", "secret", "rotate", "status"], "demo"),
      (["cluster", "get", "elsewhere"], nil),
    ] as [([String], String?)])
  func nearNames(line: [String], meant: String?) async {
    var service = FakeService()
    service.getCluster = { _ in throw RPCError(.notFound, "there is none") }
    service.lockMachine = { _ in throw RPCError(.notFound, "there is none") }
    service.status = { _ in throw RPCError(.notFound, "there is none") }
    service.listClusters = CompletionTests.service.listClusters
    let bench = Bench(service)
    #expect(await bench.run(line) == .notFound)
    #expect(bench.errors.text.contains("did you mean") == (meant != nil))
    if let meant { #expect(bench.errors.text.contains("did you mean '\(meant)'?")) }
  }

  @Test("A hint repeats the endpoint that was given by flag")
  func hints() async {
    let bench = Bench(Self.failing(RPCError(.notFound, "no cluster named 'x'")))
    #expect(await bench.run("cluster", "get", "x", "--endpoint", "unix:/x.sock") == .notFound)
    #expect(bench.errors.text.contains("omnictl --endpoint unix:/x.sock cluster list"))
  }

  @Test(
    "A server that does not answer in time is one that cannot be reached", .timeLimit(.minutes(1)))
  func slow() async {
    var service = FakeService()
    service.listClusters = { _ in
      try await Task.sleep(for: .seconds(600))
      return ListClustersResponse()
    }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "list", "--timeout", "30ms") == .unreachable)
    #expect(bench.errors.text.contains("has not answered within 30ms"))
  }

  @Test("A command whose output could not be written has failed, unless its reader has had enough")
  func outputLost() async {
    for (arguments, isLost) in [
      (["completion", "zsh"], true), (["cluster", "list", "--help"], true),
      (["completion", "bash"], true), (["--help"], true), (["--help"], false),
    ] {
      let bench = Bench()
      let full = open(isLost ? "/dev/full" : "/dev/null", O_WRONLY)
      let code = await bench.run(arguments, output: StandardStream(descriptor: full))
      #expect(code == (isLost ? .failed : .done), "\(arguments)")
      #expect(bench.errors.lines.count { $0.contains("No space left") } == (isLost ? 1 : 0))
      close(full)
    }
  }
}
