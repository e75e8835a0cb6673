import Encodings
import RPC
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite("Checking credentials")
struct CredentialCheckTests {
  private static let pem = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"
  private static let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"

  private static func base64(_ text: String) -> String { Base64.encode(text) }

  static let talosconfig = """
    context: prod
    contexts:
      other: {endpoints: [10.0.0.2], crt: "\(base64("x"))", key: "\(base64(key))"}
      prod:
        endpoints: [10.0.0.1]
        ca: \(base64("ca"))
        crt: \(base64(pem))
        key: \(base64(key))
    """

  private static let kubeconfig = """
    apiVersion: v1
    kind: Config
    current-context: admin@prod
    contexts:
    - {name: admin@prod, context: {cluster: prod, user: admin}}
    - {name: token@prod, context: {cluster: prod, user: token}}
    users:
    - name: admin
      user:
        client-certificate-data: \(base64(pem))
        client-key-data: \(base64(key))
    - {name: token, user: {token: abc}}
    """

  @Test("Of each kind of file the certificate alone is sent, never a key")
  func files() async throws {
    let folder = try TemporaryFolder()
    let sent = Mutex<[CheckCredentialRequest]>([])
    var service = FakeService()
    service.checkCredential = { request in
      sent.withLock { $0.append(request) }
      var response = CheckCredentialResponse()
      response.authority = .unknown
      return response
    }
    for (name, text) in [
      ("talosconfig", Self.talosconfig), ("kubeconfig", Self.kubeconfig),
      ("cert.pem", Self.key + Self.pem),
    ] {
      try folder.write(text, to: name)
      let bench = Bench(service)
      #expect(await bench.run("credential", "check", folder.path(name)) == .done, "\(name)")
      #expect(bench.output.text.contains("No CA in use of a cluster that omnid knows"), "\(name)")
    }
    for request in sent.withLock({ $0 }) {
      #expect(request.certificate == Self.pem && request.cluster.isEmpty)
    }
    #expect(sent.withLock { $0.count } == 3)
  }

  @Test("What holds no certificate is told, and nobody is asked")
  func nothing() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.kubeconfig, to: "kubeconfig")
    try folder.write(Self.talosconfig, to: "talosconfig")
    try folder.write("a: [", to: "broken")
    for (line, reason) in [
      (["kubeconfig", "--context", "token@prod"], "no client-certificate-data"),
      (["kubeconfig", "--context", "nobody"], "neither a talosconfig nor a kubeconfig"),
      (["talosconfig", "--context", "other"], "it holds no certificate"),
      (["talosconfig", "--context", "nobody"], "has no context 'nobody'"),
      (["broken"], "no YAML"), (["missing"], "No such file"),
    ] {
      let bench = Bench()
      let code = await bench.run(
        ["credential", "check", folder.path(line[0])] + line.dropFirst())
      #expect(code == .wrongUsage, "\(line)")
      #expect(bench.errors.text.contains(reason), "\(line): \(bench.errors.text)")
    }
  }

  @Test("It says on how many machines the file is good, what to rotate, and when it is over")
  func verdict() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.pem, to: "cert.pem")
    let answer = Mutex(CheckCredentialResponse())
    var service = FakeService()
    service.checkCredential = { _ in answer.withLock { $0 } }
    func shown() async -> String {
      let bench = Bench(service)
      #expect(await bench.run("credential", "check", folder.path("cert.pem")) == .done)
      return bench.output.text
    }
    answer.withLock {
      $0.cluster = "prod"
      $0.component = .talosCA
      $0.authority = .inUse
      $0.caFingerprint = "0badcafe0badcafe0badcafe"
      $0.subject = "O=os:admin"
      $0.inTime = true
      $0.acceptedBy = 1
      $0.machines = ["cp-1", "w-1"].enumerated().map { position, name in
        var machine = CredentialAcceptance()
        machine.machine = name
        machine.controlPlane = position == 0
        machine.state = position == 0 ? .accepted : .unknown
        machine.detail = position == 0 ? "the Talos API lets it in" : "could not be asked: down"
        return machine
      }
    }
    let good = await shown()
    for words in [
      "O=os:admin", "talos-ca 0badcafe0badcafe of cluster prod", "the Talos API lets it in",
      "still good on 1 of 2 machines; 1 could not be asked",
      "cluster -n prod secret rotate talos-ca --reason leaked-talosconfig",
    ] {
      #expect(
        good.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains(words),
        "\(words): \(good)")
    }
    answer.withLock { $0.inTime = false }
    #expect(await shown().contains("It has expired: nobody lets it in."))
    answer.withLock { $0.notBefore = Timestamp(seconds: 1 << 34, nanos: 0) }
    #expect(await shown().contains("nobody lets it in until then"))
    answer.withLock {
      $0.inTime = true
      $0.authority = .unknown
    }
    #expect(await shown().contains("by a CA that is not on record"))
    answer.withLock {
      $0.inTime = true
      $0.authority = .retired
      $0.acceptedBy = 0
      $0.machines.removeLast()
      $0.machines[0].state = .refused
    }
    let over = await shown()
    #expect(over.contains("retired by a rotation"))
    #expect(over.contains("No machine lets it in any more."))
  }
}
