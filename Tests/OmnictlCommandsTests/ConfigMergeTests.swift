import Foundation
import Schema
import Testing

@testable import OmnictlCommands

@Suite struct ConfigMergeTests {
  static let freshTalosconfig = """
    context: demo
    contexts:
        demo:
            endpoints:
                - 10.0.0.1
            ca: bmV3
            crt: bmV3
            key: bmV3

    """

  static let freshKubeconfig = """
    apiVersion: v1
    kind: Config
    clusters:
      - name: demo
        cluster:
          server: https://10.0.0.1:6443
          certificate-authority-data: bmV3
    users:
      - name: admin@demo
        user:
          client-certificate-data: bmV3
          client-key-data: bmV3
    contexts:
      - name: admin@demo
        context:
          cluster: demo
          namespace: default
          user: admin@demo
    current-context: admin@demo
    preferences: {}

    """

  @Test("A talosconfig's other contexts stay to the last byte, with their comments")
  func talosconfig() throws {
    let merged = try TalosconfigMerge.merge(
      Self.freshTalosconfig,
      into: """
        # mine
        context: home   # the usual one
        contexts:
            home:   # in the cellar
                endpoints: ["192.168.0.2"]
                nodes: [192.168.0.2]
                ca: aG9tZQ==
                crt: 'aG9tZQ=='
                key: "aG9tZQ=="

        """)
    #expect(
      merged
        == MergedConfig(
          text: """
            # mine
            context: demo   # the usual one
            contexts:
                home:   # in the cellar
                    endpoints: ["192.168.0.2"]
                    nodes: [192.168.0.2]
                    ca: aG9tZQ==
                    crt: 'aG9tZQ=='
                    key: "aG9tZQ=="
                demo:
                    endpoints:
                        - 10.0.0.1
                    ca: bmV3
                    crt: bmV3
                    key: bmV3

            """, current: "demo", others: 1))
  }

  @Test("A talosconfig's context of the same name is replaced, wherever it stands")
  func replacesTalos() throws {
    let merged = try TalosconfigMerge.merge(
      Self.freshTalosconfig,
      into: """
        context: other
        contexts:
            demo:
                endpoints: []
                ca: b2xk
            other:
                ca: b3RoZXI=

        """)
    #expect(merged.replaced == ["context demo"] && merged.others == 1)
    #expect(!merged.text.contains("b2xk") && merged.text.contains("ca: b3RoZXI="))
    #expect(
      merged.text.hasPrefix("context: demo\ncontexts:\n    demo:\n".replacing("\\n", with: "\n")))
  }

  @Test(
    "Files that hold nothing yet take the credential in",
    arguments: [
      "", "\n", "# only a comment\n", "{}\n", "contexts: {}\n", "context: \"\"\ncontexts:\n",
    ])
  func emptyTalos(existing: String) throws {
    let merged = try TalosconfigMerge.merge(Self.freshTalosconfig, into: existing)
    #expect(merged.current == "demo" && merged.others == 0 && merged.replaced.isEmpty)
    #expect(merged.text.contains("bmV3"))
    if existing.contains("#") { #expect(merged.text.hasPrefix("# only a comment\n")) }
    // What was made can be merged into again.
    #expect(
      try TalosconfigMerge.merge(Self.freshTalosconfig, into: merged.text).replaced
        == ["context demo"])
  }

  static let existingKubeconfig = """
    # by hand
    apiVersion: v1
    kind: Config
    current-context: home
    clusters:
    - cluster:
        server: https://home:6443 # behind the router
      name: home
    contexts:
    - context: {cluster: home, user: me}
      name: home
    users:
    - name: me
      user:
        exec:
          apiVersion: client.authentication.k8s.io/v1
          command: login
          args: ["--yes", "1"]
          interactiveMode: Never

    """

  @Test("A kubeconfig's other clusters, users and contexts stay, with their comments")
  func kubeconfig() throws {
    let merged = try KubeconfigMerge.merge(Self.freshKubeconfig, into: Self.existingKubeconfig)
    #expect(merged.current == "admin@demo" && merged.others == 1 && merged.replaced.isEmpty)
    for line in Self.existingKubeconfig.split(separator: "\n") where !line.contains("current") {
      #expect(merged.text.contains(line), "\(line)")
    }
    #expect(merged.text.contains("current-context: admin@demo"))
    #expect(merged.text.contains("client-key-data: bmV3"))
    let again = try KubeconfigMerge.merge(
      Self.freshKubeconfig.replacing("bmV3", with: "bmV3ZXI="), into: merged.text)
    #expect(again.replaced == ["cluster demo", "user admin@demo", "context admin@demo"])
    #expect(again.others == 1 && !again.text.contains("bmV3\n"))
  }

  /// A kubeconfig with the fresh names, where the context `other` uses the cluster or the user too.
  private static func shared(
    server: String, cluster: String = "demo", user: String = "admin@demo"
  ) -> String {
    """
    apiVersion: v1
    kind: Config
    clusters:
      - {name: demo, cluster: {server: "\(server)"}}
      - {name: elsewhere, cluster: {server: "https://10.9.9.9:6443"}}
    users:
      - {name: admin@demo, user: {token: mine}}
      - {name: me, user: {token: me}}
    contexts:
      - {name: other, context: {cluster: \(cluster), user: \(user)}}
      - {name: admin@demo, context: {cluster: demo, user: admin@demo}}

    """
  }

  @Test(
    "A cluster or user of the same name that other contexts use is not replaced by another one",
    arguments: [
      (shared(server: "https://10.9.9.9:6443", user: "me"), "cluster 'demo'"),
      (shared(server: "https://10.0.0.1:6443", cluster: "elsewhere"), "user 'admin@demo'"),
      (shared(server: "https://10.9.9.9:6443", cluster: "elsewhere"), "user 'admin@demo'"),
      (shared(server: "https://10.0.0.1:6443", cluster: "nowhere"), "user 'admin@demo'"),
    ])
  func sharedNames(existing: String, what: String) {
    let failure = #expect(throws: MergedConfig.Failure.self) {
      try KubeconfigMerge.merge(Self.freshKubeconfig, into: existing)
    }
    let reason = failure?.reason ?? ""
    #expect(reason.contains(what) && reason.contains("(other)"), "\(reason)")
    #expect(reason.contains("rename it there"))
  }

  @Test(
    "Contexts that go with the entries, and others at the very same cluster, keep no merge from being made",
    arguments: [
      shared(server: "https://10.9.9.9:6443", cluster: "elsewhere", user: "me"),
      shared(server: "https://10.0.0.1:6443"),
      shared(server: "https://10.0.0.1:6443", user: "me"),
    ])
  func harmlessNames(existing: String) throws {
    let merged = try KubeconfigMerge.merge(Self.freshKubeconfig, into: existing)
    #expect(merged.replaced == ["cluster demo", "user admin@demo", "context admin@demo"])
    #expect(merged.others == 1)
  }

  @Test(
    "Kubeconfigs without entries, and in JSON, take the credential in",
    arguments: [
      "", "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n",
      "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\nkind: Config\n",
      #"{"apiVersion":"v1","kind":"Config","clusters":[],"users":[],"contexts":[]}"#,
      #"{"kind":"Config","clusters":[{"name":"a","cluster":{"server":"https://a"}}]}"#,
    ])
  func emptyKube(existing: String) throws {
    let merged = try KubeconfigMerge.merge(Self.freshKubeconfig, into: existing)
    #expect(merged.current == "admin@demo" && merged.others == 0)
    #expect(merged.text.contains("apiVersion") && merged.text.contains("kind"))
    #expect(
      try KubeconfigMerge.merge(Self.freshKubeconfig, into: merged.text).replaced.count == 3)
  }

  @Test("A file of the other kind, and what is neither, is refused and left as it was")
  func otherKind() async throws {
    let cases: [(any ConfigMerge.Type, String)] = [
      (TalosconfigMerge.self, Self.existingKubeconfig), (TalosconfigMerge.self, "- a\n"),
      (TalosconfigMerge.self, "contexts: [a]\n"), (TalosconfigMerge.self, "a: [\n"),
      (TalosconfigMerge.self, "contexts: {}\n---\ncontexts: {}\n"),
      (KubeconfigMerge.self, Self.freshTalosconfig), (KubeconfigMerge.self, "just a text\n"),
      (KubeconfigMerge.self, "clusters: [{name: a}, {name: a}]\n"),
      (KubeconfigMerge.self, "users: [me]\n"),
    ]
    for (kind, existing) in cases {
      let fresh = kind.name == "talosconfig" ? Self.freshTalosconfig : Self.freshKubeconfig
      #expect(throws: MergedConfig.Failure.self, "\(existing)") {
        try kind.merge(fresh, into: existing)
      }
    }
    let folder = try TemporaryFolder()
    try folder.write(Self.existingKubeconfig, to: "config")
    var service = FakeService()
    service.talosconfig = { _ in
      var response = TalosconfigResponse()
      response.talosconfig = Self.freshTalosconfig
      return response
    }
    let bench = Bench(service)
    #expect(
      await bench.run(
        "cluster", "-n", "demo", "talosconfig", "--merge", "--output-file", folder.path("config"))
        == .refused)
    #expect(bench.errors.text.contains("it is a kubeconfig, no talosconfig"))
    #expect(try folder.text("config") == Self.existingKubeconfig)
  }

  @Test("The command merges, narrows the file's rights and says what became of it")
  func command() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.existingKubeconfig, to: "config")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o644], ofItemAtPath: folder.path("config"))
    var service = FakeService()
    service.kubeconfig = { _ in
      var response = KubeconfigResponse()
      response.kubeconfig = Self.freshKubeconfig
      response.expiresAt = Samples.now
      return response
    }
    let bench = Bench(service)
    let line = [
      "cluster", "-n", "demo", "kubeconfig", "--merge", "--output-file", folder.path("config"),
    ]
    #expect(await bench.run(line) == .done)
    #expect(
      bench.output.lines == [
        "put the kubeconfig of cluster demo into \(folder.path("config")), valid until "
          + "2026-03-01T10:01:12Z",
        "context admin@demo is the current one now; other contexts there: 1",
      ])
    #expect(try folder.mode("config") == 0o600)
    #expect(try folder.text("config").contains("https://home:6443 # behind the router"))
    #expect(await bench.run(line) == .done)
    #expect(
      bench.output.lines.last == "replaced: cluster demo, user admin@demo, context admin@demo")
    let other = ["--merge", "--output-file", folder.path("new")]
    #expect(await Bench(service).run(["cluster", "-n", "demo", "kubeconfig"] + other) == .done)
    #expect(try folder.text("new") == Self.freshKubeconfig)
    #expect(folder.names == ["config", "new"])
  }
}
