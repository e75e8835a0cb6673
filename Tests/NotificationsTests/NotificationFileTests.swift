import Crypto
import Encodings
import Testing

@testable import Notifications

/// What the file of targets may say.
@Suite("The file of targets")
struct NotificationFileTests {
  private static let secret = String(repeating: "s", count: 32)

  private func settings(
    _ text: String, files: [String: String] = ["/etc/omnid/ops.secret": secret + "\n"],
    path: String = "/etc/omnid/notify.yaml"
  ) throws -> NotificationSettings {
    func read(_ path: String) throws -> [UInt8] {
      guard let text = files[path] else { throw NotificationError("no such file") }
      return Array(text.utf8)
    }
    let durations: [String: Duration] = [
      "90s": .seconds(90), "0": .zero, "1s": .seconds(1), "1000h": .seconds(3_600_000),
    ]
    return try NotificationFile(
      path: path,
      reading: NotificationFile.Reading(secret: read, file: read, duration: { durations[$0] })
    ).settings(Array(text.utf8))
  }

  private func problem(_ text: String, files: [String: String]? = nil) -> String {
    do {
      if let files { _ = try settings(text, files: files) } else { _ = try settings(text) }
      return "nothing"
    } catch { return (error as? NotificationError)?.message ?? "\(error)" }
  }

  private func target(_ lines: String, url: String = "https://ops.example.org/omnid") -> String {
    "targets:\n- name: ops\n  url: \(url)\n  secret-file: ops.secret\n\(lines)"
  }

  @Test("A target needs a name, a URL and a secret; the rest has defaults")
  func least() throws {
    let settings = try settings(target(""))
    let target = try #require(settings.targets.first)
    #expect(settings.targets.count == 1 && settings.source == "")
    #expect(target.name == "ops" && target.url == "https://ops.example.org/omnid")
    #expect(target.secret.isEqual(to: SecretBytes(copying: Array(Self.secret.utf8))))
    #expect(target.patience == .seconds(300) && target.proxy == nil && target.authorityFile == nil)
    for type in EventType.allCases { #expect(target.wants(type, of: "any")) }
  }

  @Test("Everything that can be said is taken over")
  func most() throws {
    let settings = try settings(
      "source: https://omnid.example.org\n"
        + target(
          """
            events: [rotation.*, ca.expiring, dev.omni.management.cluster.drift]
            clusters: [prod, test]
            wait-longer-than: 90s
            proxy: http://proxy.example.org:3128
          """))
    let target = settings.targets[0]
    #expect(settings.source == "https://omnid.example.org")
    #expect(target.patience == .seconds(90) && target.proxy == "http://proxy.example.org:3128")
    #expect(target.wants(.rotationEnded, of: "prod") && target.wants(.clusterDrift, of: "test"))
    #expect(!target.wants(.clusterRecordOutdated, of: "prod") && !target.wants(.test, of: "prod"))
    #expect(!target.wants(.rotationEnded, of: "other"))
  }

  @Test(
    "A secret is whsec_ with base64, or a line of 24 to 64 bytes; what is wrong is said without it")
  func secrets() throws {
    let key = [UInt8](repeating: 7, count: 32)
    let read = try settings(
      target(""), files: ["/etc/omnid/ops.secret": "whsec_\(Base64.encode(key))\r\n"])
    #expect(read.targets[0].secret.isEqual(to: SecretBytes(copying: key)))
    for (length, isTaken) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
      let text = String(repeating: "q", count: length)
      let problem = problem(target(""), files: ["/etc/omnid/ops.secret": text])
      #expect((problem == "nothing") == isTaken, "\(length)")
      #expect(!problem.contains("qq"))
    }
    #expect(
      problem(target(""), files: ["/etc/omnid/ops.secret": "whsec_!!!"])
        == "/etc/omnid/notify.yaml:4: secret-file: /etc/omnid/ops.secret: after whsec_ base64 is expected"
    )
    #expect(
      problem(target(""), files: [:])
        == "/etc/omnid/notify.yaml:4: secret-file: /etc/omnid/ops.secret: no such file")
  }

  @Test(
    "A URL is https:, or http: to this machine, and holds no password",
    arguments: [
      ("https://ops.example.org", true), ("HTTPS://ops.example.org:8443/a?b=c", true),
      ("http://127.0.0.1:8080/hook", true), ("http://127.9.8.7/", true), ("http://[::1]:80/", true),
      ("http://localhost/hook", true), ("http://ops.example.org/", false),
      ("http://127.0.0.1.example.org/", false), ("http://10.0.0.1/", false),
      ("https://user:password@ops.example.org/", false), ("https://user@ops.example.org/", false),
      ("http://127.0.0.1@ops.example.org/", false), ("ftp://ops.example.org/", false),
      ("file:///etc/passwd", false), ("ops.example.org", false), ("https://", false),
      ("https://ops .example.org", false), ("gopher://127.0.0.1/", false),
    ])
  func urls(url: String, isTaken: Bool) {
    let problem = problem(target("", url: "'\(url)'"))
    #expect((problem == "nothing") == isTaken, "\(problem)")
    if !isTaken { #expect(problem.hasPrefix("/etc/omnid/notify.yaml:3: url: ")) }
  }

  @Test("What is not known is refused, with what there is")
  func unknown() {
    #expect(
      problem(target("  secret: x\n"))
        == "/etc/omnid/notify.yaml:5: there is no setting 'secret'; there are name, url, secret-file, ca-file, "
        + "events, clusters, wait-longer-than, proxy")
    #expect(
      problem(target("  events: [rotation.end]\n")).hasPrefix(
        "/etc/omnid/notify.yaml:5: events: there is no 'rotation.end'; there are rotation.started, "
      ))
    #expect(
      problem("target: []\n")
        == "/etc/omnid/notify.yaml:1: there is no setting 'target'; there are source, targets")
  }

  @Test(
    "What is wrong is said with its line",
    arguments: [
      ("", "one YAML document is expected"), ("{}", "'targets' is expected"),
      ("targets: []", "'targets' is expected"), ("targets: [1]", "a mapping is expected"),
      ("targets:\n- url: https://a.example\n", "a target needs 'name'"),
      ("targets:\n- name: Ops\n", "name: 'Ops' is not of 1 to 63"),
      ("targets:\n- name: ../x\n", "name: '../x' is not of 1 to 63"),
      ("source: nonsense\ntargets: []", "source: 'nonsense' is no URI"), ("a: [", "notify.yaml"),
    ])
  func wrong(text: String, reason: String) {
    let problem = problem(text)
    #expect(problem.contains(reason), "\(problem)")
    #expect(problem.hasPrefix("/etc/omnid/notify.yaml"))
  }

  @Test("Times, proxies and CA files are checked, and a target's name stands once")
  func values() {
    for text in ["0", "soon", "1000h"] {
      #expect(
        problem(target("  wait-longer-than: \(text)\n")).hasSuffix(
          ":5: wait-longer-than: '\(text)' is not a time such as 90s, 5m or 1h"))
    }
    #expect(problem(target("  proxy: socks5://a\n")).contains("proxy: it is not written"))
    // What it holds is shown to nobody.
    #expect(!problem(target("  proxy: http://bob:hunter2@a:3128\n")).contains("hunter2"))
    #expect(problem(target("  ca-file: ca.pem\n")).contains("ca-file: /etc/omnid/ca.pem: no such"))
    let two = target("") + "- name: ops\n  url: https://b.example\n  secret-file: ops.secret\n"
    #expect(problem(two) == "/etc/omnid/notify.yaml:5: there is a target 'ops' already")
    let many = (0...16).map {
      "- {name: t\($0), url: 'https://a.example', secret-file: ops.secret}\n"
    }
    #expect(problem("targets:\n" + many.joined()).contains("there are at most 16 targets"))
  }
}
