import RPC
import RPCTransport
import Schema
import Testing

@testable import OmnictlCommands

@Suite struct CompletionTests {
  /// Clusters with the machines of the samples, and a rotation.
  static var service: FakeService {
    var service = FakeService()
    service.listClusters = { _ in
      var response = ListClustersResponse()
      response.clusters = Samples.clusters()
      return response
    }
    service.getCluster = { request in
      var response = GetClusterResponse()
      response.cluster = Samples.clusters().first { $0.name == request.cluster }
      return response
    }
    service.history = { request in
      guard request.cluster == "demo" else { throw RPCError(.notFound, "no such cluster") }
      var response = ListRotationsResponse()
      response.rotations = [Samples.rotation()]
      return response
    }
    return service
  }

  /// The words that are offered at the end of a command line.
  func offers(_ line: [String], _ bench: Bench = Bench(service)) async -> [String] {
    #expect(await bench.run([CompletionAnswer.word] + line) == .done)
    #expect(bench.errors.text.isEmpty)
    return bench.output.lines.map { String($0.prefix { $0 != "\t" }) }
  }

  @Test(
    "Commands, flags and their values are offered",
    arguments: [
      (["c"], ["cluster", "check", "credential", "context", "completion"]),
      (["help", "cluster", "machine", "l"], ["list", "lock"]),
      (["cluster", "-n", "demo", "secret", "rotate", "k"], ["kubernetes-ca"]),
      (["-o", "json", "cluster", "-n", "secret", "m"], ["machine", "mark"]),
      (["-ojson", "cluster", "li"], ["list"]), (["-o", ""], ["table", "json"]),
      (["-o="], ["-o=table", "-o=json"]), (["--output=j"], ["--output=json"]),
      (["--output=json", "cluster", "li"], ["list"]), (["completion", "z"], ["zsh"]),
      (
        ["cluster", "-n", "x", "secret", "rotate", "talos-ca", "--wa"],
        ["--wait", "--wait-timeout"]
      ),
      (["cluster", "import", "--t"], ["--timeout", "--talosconfig"]),
      (["cluster", "-n", "x", "secret", "rotate", "adopt", "--component", "t"], ["talos-ca"]),
      (["cluster", "-n", "x", "secret", "rotate", "talos-ca", "--reason", "ro"], ["routine"]),
      (
        ["cluster", "-n", "x", "talosconfig", "--role", "os:admin,os:r"], ["os:admin,os:reader"]
      ),
      (["cluster", "import", "prod", "--talosconfig", "x"], [":files"]),
      (["cluster", "import", "prod", "--talosconfig=x"], [":files"]),
      (["--timeout", "1"], []), (["cluster", "list", "x"], []), (["--", "-"], []),
      (["cluster", "list", "-n"], []),
    ])
  func words(line: [String], offered: [String]) async {
    #expect(await offers(line) == offered)
  }

  @Test(
    "Names are those of the server, of the cluster that the line names",
    arguments: [
      (["cluster", "-n", ""], ["demo", "idle"]), (["cluster", "get", "i"], ["idle"]),
      (["cluster", "-n", "demo", "get", ""], []), (["cluster", "get", "demo", ""], []),
      (["access", "issue", "--token", "--cluster", "demo,i"], ["demo,idle"]),
      (["cluster", "-n", "demo", "machine", "lock", "w"], ["worker-1", "worker-2"]),
      (["cluster", "--name=demo", "machine", "lock", "c"], ["cp-1"]),
      (["cluster", "-n", "idle", "machine", "lock", ""], []),
      (["cluster", "-n", "demo", "secret", "rotate", "proof", ""], ["r-1"]),
      (["cluster", "-n", "other", "secret", "rotate", "proof", ""], []),
    ])
  func names(line: [String], offered: [String]) async {
    #expect(await offers(line) == offered)
  }

  @Test("The server that is asked is the one that the line means, else the environment's")
  func server() async {
    for (line, endpoint) in [
      (["--endpoint", "unix:/tmp/a"], "/tmp/a"), (["--endpoint=unix:/tmp/a"], "/tmp/a"),
      (["--endpoint", "'unix:/tmp/with blank'"], "/tmp/with blank"), ([], "/tmp/b"),
    ] {
      let bench = Bench(Self.service, variables: ["OMNI_ENDPOINT": "unix:/tmp/b"])
      _ = await offers(line + ["cluster", "get", ""], bench)
      #expect(bench.endpoints == [.unix(path: endpoint)], "\(line)")
    }
  }

  @Test("Only when a name is wanted somebody is asked, and nobody whom the line does not mean")
  func nobody() async {
    for line in [["cluster", ""], ["cluster", "-"], ["--endpoint", ""]] {
      let bench = Bench(Self.service)
      _ = await offers(line, bench)
      #expect(bench.endpoints.isEmpty, "\(line)")
    }
    let bench = Bench(Self.service, variables: ["OMNI_ENDPOINT": "unix:/tmp/b"])
    #expect(await offers(["--endpoint", "nonsense", "cluster", "get", ""], bench).isEmpty)
    #expect(bench.endpoints.isEmpty)
  }

  @Test("A server that is silent costs two seconds at most", .timeLimit(.minutes(1)))
  func silent() async {
    var service = FakeService()
    service.listClusters = { _ in
      try await Task.sleep(for: .seconds(600))
      return ListClustersResponse()
    }
    let begun = ContinuousClock.now
    #expect(await offers(["cluster", "get", ""], Bench(service)).isEmpty)
    #expect(ContinuousClock.now - begun < .seconds(10))
  }

  @Test("A name that a shell would take apart is not offered, and no text moves the cursor")
  func hostile() async {
    var service = FakeService()
    service.listClusters = { _ in
      var response = ListClustersResponse()
      for name in ["a b", "$(reboot)", "`id`", "x;y", "fine"] {
        var cluster = Cluster()
        cluster.name = name
        cluster.talosVersion = "v1\u{1B}[2J"
        response.clusters.append(cluster)
      }
      return response
    }
    let bench = Bench(service)
    #expect(await offers(["cluster", "get", ""], bench) == ["fine"])
    #expect(!bench.output.text.contains("\u{1B}"))
  }

  @Test("Each shell has a script that asks omnictl", arguments: ["bash", "zsh", "fish"])
  func scripts(shell: String) async {
    let bench = Bench()
    #expect(await bench.run("completion", shell) == .done)
    #expect(bench.output.text.contains("omnictl \(CompletionAnswer.word) "))
  }
}
