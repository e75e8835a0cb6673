import Testing
import YAML

@testable import TalosSimulator

@Suite("The shape of a configuration is known")
struct ConfigShapeTests {
  @Test("The notation says lists, mappings, fields and kinds")
  func notation() {
    let shape = ConfigShape("a b:bool c[] d{}:any e(f:int g[](h)) tx-push:uint")
    #expect(
      shape
        == .fields([
          "a": .scalar(.text), "b": .scalar(.bool), "c": .list(.scalar(.text)), "d": .map(.any),
          "e": .fields(["f": .scalar(.int), "g": .list(.fields(["h": .scalar(.text)]))]),
          "tx-push": .scalar(.uint),
        ]))
  }

  private func refusal(_ shape: String, _ text: String) throws -> String? {
    let document = try #require(try YAMLParser.parse(Array(text.utf8)).first)
    return ConfigShape(shape).refusal(of: document)
  }

  @Test(
    "A value of another kind is refused with its line, and of several each one",
    arguments: [
      ("b:bool", "b: maybe\n", "  line 1: cannot construct !!str `maybe` into bool"),
      ("b:bool", "b: \"true\"\n", "  line 1: cannot construct !!str `true` into bool"),
      ("b:bool", "\nb: 1\n", "  line 2: cannot construct !!int `1` into bool"),
      ("n:int", "n: somewhat large\n", "  line 1: cannot construct !!str `somewha...` into int"),
      ("n:uint", "n: -1\n", "  line 1: cannot construct !!int `-1` into uint"),
      ("d:duration", "d: 2x\n", "  line 1: cannot construct !!str `2x` into time.Duration"),
      ("d:duration", "d: 5\n", "  line 1: cannot construct !!int `5` into time.Duration"),
      ("t", "t: [a]\n", "  line 1: cannot construct !!seq into string"),
      ("t(a)", "t: a\n", "  line 1: cannot construct !!str `a` into struct"),
      (
        "u:url", "u: 127.0.0.1:6443\n",
        "  line 1: parse \"127.0.0.1:6443\": first path segment in URL cannot contain colon"
      ),
      (
        "a:bool b:bool", "a: x\nb: y y\n",
        "  line 1: cannot construct !!str `x` into bool\n"
          + "  line 2: cannot construct !!str `y y` into bool"
      ),
    ])
  func kinds(shape: String, text: String, words: String) throws {
    #expect(try refusal(shape, text) == "yaml: construct errors:\n" + words)
  }

  @Test(
    "What Go takes is taken",
    arguments: [
      ("b:bool", "b: yes\n"), ("b:bool", "b: off\n"), ("b:bool", "b: True\n"), ("b:bool", "b:\n"),
      ("n:int", "n: 0x10\n"), ("t", "t: 1\n"), ("t", "t: true\n"), ("d:duration", "d: 1h30m\n"),
      ("d:duration", "d: \"0\"\n"), ("d:duration", "d: -1.5s\n"), ("l[]", "l:\n"),
      ("a:any", "a: {b: [c]}\n"), ("u:url", "u: https://[::1]:6443/x?y=z\n"), ("u:url", "u: a b\n"),
    ])
  func taken(shape: String, text: String) throws {
    #expect(try refusal(shape, text) == nil)
  }

  @Test("Names that are unknown are shown with their values, in order and where they stand")
  func unknown() throws {
    #expect(
      try refusal("a(b) l[](x) m{}(y)", "z: 1\na: {c: {d: [e]}, b: 1}\nl: [{x: 1}, {w: true}]\n")
        == """
        unknown keys found during decoding:
        a:
            c:
                d:
                    - e
        l:
            - w: true
        z: 1

        """)
    #expect(try refusal("m{}(y)", "m: {any: {y: 1}}\n") == nil)
  }

  @Test(
    "A URL has the parts that Go sees",
    arguments: [
      ("https://a:6443/x", "https", "a:6443", "/x", nil as String?),
      ("localhost:6443", "localhost", "", "", "hostname must not be blank"),
      ("nonsense", "", "", "nonsense", "hostname must not be blank"),
      ("https://u@[::1]:1", "https", "[::1]:1", "", nil),
      ("https://a:70000", "https", "a:70000", "", "port number must be between 1 and 65535"),
    ])
  func urls(text: String, scheme: String, host: String, path: String, complaint: String?) throws {
    let url = try GoURL(text)
    #expect((url.scheme, url.host, url.path) == (scheme, host, path))
    #expect(url.endpointComplaint == complaint)
  }

  @Test(
    "What Go cannot read is no URL",
    arguments: [
      (":x", "missing protocol scheme"), ("https://a:b", "invalid port \":b\" after host"),
      ("https://a b/", "invalid character \" \" in host name"),
      ("a\u{7F}", "net/url: invalid control character in URL"),
      ("https://[::1", "missing ']' in host"),
    ])
  func noURLs(text: String, reason: String) {
    #expect(throws: GoURL.Refusal(reason: reason)) { try GoURL(text) }
  }
}

@Suite("A machine refuses what Talos' decoder and validation refuse")
struct StrictConfigTests {
  private func problems(_ text: String, talosMinor: Int = 13) -> String {
    do throws(ConfigRefusal) {
      _ = try MachineConfig(submitted: Array(text.utf8), talosMinor: talosMinor)
      return ""
    } catch { return error.message }
  }

  @Test("A boolean that is none")
  func boolean() {
    #expect(
      problems("debug: maybe\n" + Fixture.controlPlane())
        == "error decoding document /v1alpha1/ (line 1): error decoding  to *v1alpha1.Config: "
        + "yaml: construct errors:\n  line 1: cannot construct !!str `maybe` into bool")
  }

  @Test("An endpoint that is no URL, and one without a host")
  func endpoint() {
    let good = Fixture.controlPlane()
    #expect(
      problems(good.replacing("https://127.0.20.1:6443", with: "127.0.20.1:6443")).contains(
        "parse \"127.0.20.1:6443\": first path segment in URL cannot contain colon"))
    #expect(
      problems(good.replacing("https://127.0.20.1:6443", with: "nonsense"))
        == "v1alpha1.Config: invalid controlplane endpoint: hostname must not be blank")
  }

  @Test("Unknown names, in every document and at every depth")
  func unknown() {
    let watchdog = "---\napiVersion: v1alpha1\nkind: WatchdogTimerConfig\ndevic: /dev/watchdog0\n"
    #expect(
      problems(Fixture.controlPlane() + watchdog).hasSuffix(
        "): unknown keys found during decoding:\ndevic: /dev/watchdog0\n"))
    let deep = Fixture.controlPlane().replacing(
      "machine:\n", with: "machine:\n  network: {interfaces: [{vlans: [{vlanID: 5}]}]}\n")
    #expect(problems(deep).contains("- vlans:"))
    #expect(problems(deep).hasSuffix("- vlanID: 5\n"))
  }

  @Test("Documents that came with Talos 1.14, before it")
  func older() {
    let document = "---\napiVersion: v1alpha1\nkind: UdevRulesConfig\nrules: []\n"
    #expect(problems(Fixture.controlPlane() + document).contains("not registered"))
    #expect(problems(Fixture.controlPlane() + document, talosMinor: 14) == "")
  }

  @Test(
    "Labels that Kubernetes would not take",
    arguments: [
      ("\"example.com/grüße\": ja", "name \"grüße\" is invalid"),
      ("\"/a\": b", "prefix cannot be empty: \"/a\""),
      ("\"a/b/c\": d", "invalid format: too many slashes: \"a/b/c\""),
      ("\"Example.com/a\": b", "prefix \"Example.com\" is invalid"),
      ("a: \"b c\"", "label value \"b c\" is invalid"),
      ("\"a/\": b", "name cannot be empty: \"a/\""),
    ])
  func labels(label: String, words: String) {
    let text = Fixture.controlPlane().replacing(
      "machine:\n", with: "machine:\n  nodeLabels: {\(label)}\n")
    #expect(problems(text).contains("invalid machine node labels: 1 error occurred:\n\t* " + words))
  }
}
