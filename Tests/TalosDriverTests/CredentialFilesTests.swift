import Crypto
import Encodings
import Orchestrator
import Testing
import YAML

@testable import TalosDriver

@Suite("Talosconfigs and kubeconfigs")
struct CredentialFilesTests {
  let authority: Authority
  let identity: Identity

  init() throws {
    authority = try Authority.generate(.talos, now: 1_700_000_000)
    identity = try authority.issue(.talosClient(), now: 1_700_000_000)
  }

  private var credentials: String {
    """
        ca: \(Base64.encode(authority.certificate.pem))
        crt: \(Base64.encode(identity.chainPEM))
        key: \(Base64.encode(identity.keyPEM))

    """
  }

  private func refusal(_ text: String, _ context: String? = nil) -> DriverError? {
    do throws(DriverError) {
      _ = try Talosconfig.context(context, in: text)
      return nil
    } catch { return error }
  }

  @Test("What is written is read back, and is what talosctl's own files look like")
  func roundTrip() throws {
    let other = try Authority.generate(.talos, now: 1_700_000_000)
    let text = Talosconfig.text(
      context: "demo",
      endpoints: [TalosEndpoint(host: "10.0.0.1"), TalosEndpoint(host: "fd00::1", port: 50001)],
      roots: [authority.certificate, other.certificate], identity: identity)
    #expect(text.hasPrefix("context: demo\ncontexts:\n    demo:\n        endpoints:\n"))
    let context = try Talosconfig.context(nil, in: text)
    #expect(context.name == "demo")
    #expect(context.endpoints.map(\.description) == ["10.0.0.1", "[fd00::1]:50001"])
    #expect(context.roots == [authority.certificate, other.certificate])
    #expect(context.identity.certificate == identity.certificate)
    let root = try YAMLParser.parse(text)[0]
    #expect(
      root.node(at: ["contexts", "demo"])?.entries?.map(\.name) == [
        "endpoints", "ca", "crt", "key",
      ])
  }

  @Test("The context asked for is taken, else the current one, else the only one")
  func contexts() throws {
    let two =
      "contexts:\n  a:\n    endpoints: [10.0.0.1]\n\(credentials)  b:\n    endpoints: [b.example]\n\(credentials)"
    #expect(try Talosconfig.context("b", in: "context: a\n" + two).endpoints[0].host == "b.example")
    #expect(try Talosconfig.context(nil, in: "context: a\n" + two).name == "a")
    #expect(try Talosconfig.context("", in: "context: b\n" + two).name == "b")
    #expect(refusal(two)?.message.contains("2 contexts") == true)
    #expect(refusal("context: c\n" + two)?.message.contains("no context c") == true)
    #expect(refusal(two, "c")?.message.contains("a, b") == true)
    let many = (0..<400).map { "  \(String(repeating: "x", count: 180))\($0): {}\n" }.joined()
    let refused = refusal("contexts:\n" + many, String(repeating: "c", count: 5000))
    #expect(refused?.message.contains("395 more") == true)
    #expect(refused.map { $0.message.utf8.count < 600 } == true)
  }

  @Test("Endpoints of all forms, and the target of old files, are dialled")
  func endpoints() throws {
    let text =
      "contexts:\n  a:\n    target: 10.0.0.9\n    endpoints: [10.0.0.1, \"10.0.0.2:50001\", 'https://h:7/', fd00::1, 10.0.0.1]\n    nodes: [10.0.0.5]\n\(credentials)"
    let context = try Talosconfig.context(nil, in: text)
    #expect(
      context.endpoints == [
        TalosEndpoint(host: "10.0.0.1"), TalosEndpoint(host: "10.0.0.2", port: 50001),
        TalosEndpoint(host: "h", port: 7), TalosEndpoint(host: "fd00::1"),
        TalosEndpoint(host: "10.0.0.9"),
      ])
    #expect(context.nodes == ["10.0.0.5"])
  }

  @Test("What cannot be used is refused with the field that is wrong")
  func refusals() throws {
    let good = "contexts:\n  a:\n    endpoints: [10.0.0.1]\n\(credentials)"
    #expect(refusal(good) == nil)
    let stranger = try Authority.generate(.talos, now: 1_700_000_000)
    let key = Base64.encode(identity.keyPEM)
    let cases: [(String, String)] = [
      ("", "read"), ("[]", "read"), ("a: [", "read"), ("context: a\n", "no contexts"),
      ("contexts: {}\n", "no contexts"),
      (good.replacing("10.0.0.1", with: ""), "no endpoints"),
      (good.replacing("10.0.0.1", with: "\"10.0.0.1:0\""), "endpoint 1"),
      (good.replacing("10.0.0.1", with: "\"http://x\""), "endpoint 1"),
      (good.replacing("10.0.0.1", with: "\"a b\""), "endpoint 1"),
      (good.replacing("ca: ", with: "xa: "), "no ca"),
      (good.replacing("crt: ", with: "xrt: "), "no crt"),
      (good.replacing("key: ", with: "xey: "), "no key"),
      (good.replacing("key: ", with: "key: '!'#"), "base64"),
      (good.replacing("ca: ", with: "ca: AAAA #"), "no certificate"),
      (good.replacing("crt: ", with: "crt: AAAA #"), "no certificate"),
      (good.replacing("key: ", with: "key: AAAA #"), "no private key"),
      (good.replacing(key, with: Base64.encode(stranger.key.pem)), "belong together"),
      (good + "    auth: {siderov1: {identity: me@example.com}}\n", "siderov1"),
      (good + "    auth: {basic: {username: a, password: b}}\n", "basic"),
      (good + "    proxy-url: http://proxy\n", "proxy"),
    ]
    for (text, words) in cases {
      let error = try #require(refusal(text), "\(words)")
      #expect(error.code == .invalidInput)
      #expect(error.message.contains(words), "\(error.message)")
      #expect(!error.message.contains(key.prefix(16)))
    }
    #expect(refusal(good + "    auth: {}\n    proxy-url: ''\n") == nil)
  }

  @Test("A kubeconfig has the shape that kubectl reads")
  func kubeconfig() throws {
    let kubernetes = try Authority.generate(.kubernetes, now: 1_700_000_000)
    let admin = try kubernetes.issue(.kubernetesAdmin(), now: 1_700_000_000)
    let text = Kubeconfig.text(
      cluster: "demo", server: "https://10.0.0.9:6443",
      roots: [kubernetes.certificate, authority.certificate], identity: admin)
    let root = try YAMLParser.parse(text)[0]
    #expect(root["apiVersion"]?.text == "v1" && root["kind"]?.text == "Config")
    #expect(root["current-context"]?.text == "admin@demo")
    let cluster = root.node(at: ["clusters", 0])
    #expect(cluster?["name"]?.text == "demo")
    #expect(cluster?.node(at: ["cluster", "server"])?.text == "https://10.0.0.9:6443")
    let data = cluster?.node(at: ["cluster", "certificate-authority-data"])?.text ?? ""
    let roots = try Certificate.bundle(
      pem: String(decoding: Base64.decode(data) ?? [], as: UTF8.self))
    #expect(roots == [kubernetes.certificate, authority.certificate])
    #expect(root.node(at: ["users", 0, "name"])?.text == "admin@demo")
    let user = try #require(root.node(at: ["users", 0, "user"]))
    #expect(user["client-certificate-data"]?.text == Base64.encode(admin.chainPEM))
    #expect(user["client-key-data"]?.text == Base64.encode(admin.keyPEM))
    let context = root.node(at: ["contexts", 0, "context"])
    #expect(context?["cluster"]?.text == "demo" && context?["user"]?.text == "admin@demo")
    #expect(context?["namespace"]?.text == "default")
  }
}
