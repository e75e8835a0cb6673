import Schema
import Testing

@testable import OmnictlCommands

@Suite struct ClusterTextTests {
  static func authority(
    _ component: SecretComponent, _ subject: String, from start: Int64 = -86_400, days: Int64
  ) -> CertificateAuthority {
    var authority = CertificateAuthority()
    authority.component = component
    authority.subject = subject
    authority.fingerprint = String(repeating: "cd", count: 32)
    authority.notBefore = Samples.later(start)
    authority.notAfter = Samples.later(72 + days * 86_400)
    return authority
  }

  static func cluster() -> Cluster {
    var cluster = Samples.clusters()[0]
    cluster.authorities = [
      authority(.talosCA, "O=talos", days: 3650),
      authority(.kubernetesCA, "O=kubernetes", days: -1),
    ]
    cluster.warnings = ["the Kubernetes CA has expired on 2026-02-28T10:01:12Z: nothing accepts it"]
    return cluster
  }

  @Test("A cluster's CAs are shown with how long they last, and what has to be known as warnings")
  func get() async {
    var service = FakeService()
    service.getCluster = { _ in
      var response = GetClusterResponse()
      response.cluster = Self.cluster()
      return response
    }
    let bench = Bench(service)
    #expect(await bench.run("cluster", "get", "demo") == .done)
    #expect(
      bench.output.text == """
        Name:        demo
        Talos:       v1.10.2
        Endpoints:   127.0.10.1:50000
        Kubernetes:  -
        Imported:    -
        Rotation:    talos-ca RUNNING ROTATE 2/5

        CA             SUBJECT       FINGERPRINT       EXPIRES
        talos-ca       O=talos       cdcdcdcdcdcdcdcd  2036-02-27T10:01:12Z (in 3650 days)
        kubernetes-ca  O=kubernetes  cdcdcdcdcdcdcdcd  expired on 2026-02-28T10:01:12Z

        MACHINE   ROLE           ADDRESS
        cp-1      control-plane  127.0.10.1
        worker-1  worker         127.0.10.2
        worker-2  worker         127.0.10.3

        warning: the Kubernetes CA has expired on 2026-02-28T10:01:12Z: nothing accepts it

        """)
  }

  @Test("An import shows the CAs and the warnings too")
  func imports() async throws {
    var service = FakeService()
    service.importCluster = { _ in
      var response = ImportClusterResponse()
      response.cluster = Self.cluster()
      return response
    }
    let folder = try TemporaryFolder()
    try folder.write("context: demo\n", to: "talosconfig")
    let bench = Bench(service)
    #expect(
      await bench.run(
        "cluster", "import", "demo", "--talosconfig", folder.path("talosconfig")) == .done)
    #expect(bench.output.text.contains("expired on 2026-02-28T10:01:12Z"))
    #expect(bench.output.lines.last?.hasPrefix("warning: the Kubernetes CA has expired") == true)
  }

  @Test("A CA's last day, and one that is not valid yet")
  func edges() {
    let now = Samples.now
    for (days, text) in [(0, "(today)"), (1, "(in 1 day)"), (2, "(in 2 days)")] {
      let authority = Self.authority(.talosCA, "O=talos", days: Int64(days))
      #expect(AuthorityTable.validity(authority, now: now).hasSuffix(text))
    }
    let future = Self.authority(.talosCA, "O=talos", from: 100, days: 9)
    #expect(
      AuthorityTable.validity(future, now: now) == "not valid before 2026-03-01T10:01:40Z")
  }

  @Test("On a terminal of 80 columns nothing of a cluster goes past the edge, and nothing is lost")
  func narrow() {
    var cluster = Samples.clusters()[0]
    var authority = CertificateAuthority()
    authority.component = .kubernetesCA
    authority.subject = "O=kubernetes"
    authority.fingerprint = String(repeating: "ab", count: 32)
    authority.notAfter = Samples.later(3649 * 86_400)
    cluster.authorities = [authority]
    var mark = ClusterMark()
    mark.name = "tainted-by-importing"
    mark.since = Samples.start
    mark.detail =
      "its CA keys were elsewhere before it was imported: rotate talos-ca and kubernetes-ca"
    cluster.marks = [mark]
    let text = ClusterGet.text(cluster, now: Samples.now, columns: 80)
    #expect(text.split(separator: "\n").allSatisfy { DisplayWidth.of(String($0)) < 80 }, "\(text)")
    #expect(
      text.split { $0.isWhitespace }
        == ClusterGet.text(cluster, now: Samples.now).split { $0.isWhitespace })
  }

  @Test("A server that tells of no CAs but their fingerprints is shown with these")
  func older() {
    var cluster = Samples.clusters()[0]
    cluster.talosCAFingerprint = String(repeating: "ef", count: 32)
    #expect(
      AuthorityTable.text(cluster, now: Samples.now) == """
        CA        SUBJECT  FINGERPRINT       EXPIRES
        talos-ca  -        efefefefefefefef  -

        """)
  }
}
