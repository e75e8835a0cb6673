import Crypto
import Encodings
import Orchestrator
import Rotation
import TalosSimulator
import Testing
import YAML

@testable import TalosDriver

@Suite("Importing a cluster from a talosconfig")
struct DiscoveryTests {
  @Test(
    "Members, authorities, version and endpoints are found",
    arguments: ClusterOptions.Layout.allCases)
  func everything(layout: ClusterOptions.Layout) async throws {
    let harness = try await DriverHarness.start(
      layout == .legacy ? "127.1.10.0" : "127.1.11.0", layout: layout)
    let record = try await harness.importCluster()
    #expect(record.name == "demo")
    #expect(
      record.machines.map(\.role) == [
        .controlPlane, .controlPlane, .controlPlane, .worker, .worker,
      ])
    #expect(Set(record.machines.map(\.id)) == Set(harness.cluster.nodes.map(\.name)))
    #expect(Set(record.machines.map(\.address)) == Set(harness.cluster.nodes.map(\.address)))
    #expect(record.machines.allSatisfy { $0.port == harness.cluster.port })
    #expect(record.endpoints.count == 3)
    #expect(record.kubernetesEndpoint.hasPrefix("https://127.1.1"))
    #expect(TalosVersion(tag: record.talosVersion)?.isSupported == true)
    let bundle = try YAMLParser.parse(harness.cluster.secretsBundle)[0]
    for (component, name) in [(SecretComponent.talosCA, "os"), (.kubernetesCA, "k8s")] {
      let sealed = try #require(record.authorities[component])
      let crt = try #require(bundle.node(at: ["certs", .key(name), "crt"])?.text)
      let key = try #require(bundle.node(at: ["certs", .key(name), "key"])?.text)
      let pem = String(decoding: Base64.decode(crt) ?? [], as: UTF8.self)
      #expect(try Certificate(pem: sealed.certificatePEM) == Certificate(pem: pem))
      #expect(sealed.fingerprint == (try Certificate(pem: pem)).fingerprint)
      #expect(
        try harness.driver.keyring.keyPEM(sealed).unprotectedText
          == String(decoding: Base64.decode(key) ?? [], as: UTF8.self))
      let needle = (Base64.decode(key) ?? []).dropFirst(40).prefix(20)
      #expect(sealed.sealedKey.firstRange(of: needle) == nil, "the key is stored in clear")
    }
    let members = try await harness.driver.members(ClusterAccess(cluster: record))
    #expect(members == record.machines)
    await harness.cluster.stop()
  }

  @Test("An endpoint that does not answer and is no machine's is named and refused")
  func deadEndpoint() async throws {
    let harness = try await DriverHarness.start("127.1.12.0")
    let first = harness.cluster.nodes[0]
    let text = harness.cluster.talosconfig.replacing(
      "- \(first.address):", with: "- 127.1.12.250:1\n        - \(first.address):")
    let lines = harness.cluster.talosconfig.split(separator: "\n")
    let line = try #require(lines.first { $0.contains(first.address) })
    let dead = line.replacing(first.address, with: "127.1.12.250")
    let patched = harness.cluster.talosconfig.replacing(line, with: dead + "\n" + line)
    #expect(patched != harness.cluster.talosconfig && !text.isEmpty)
    let error = try #require(await harness.refusal(patched))
    #expect(error.code == .conflict && error.message.contains("127.1.12.250"))
    // Given instead of the file's own, the endpoints that answer will do.
    let found = try await harness.driver.discover(
      DiscoveryRequest(
        name: "demo", talosconfig: patched,
        endpoints: harness.cluster.nodes.prefix(3).map { "\($0.address):\(harness.cluster.port)" }))
    #expect(found.record.machines.count == 5)
    await harness.cluster.stop()
    #expect(await harness.refusal()?.code == .unreachable)
  }

  @Test("Talos before 1.7 is refused")
  func oldVersion() async throws {
    let harness = try await DriverHarness.start("127.1.13.0", controlPlanes: 1, workers: 0) {
      $0.talosVersion = "v1.6.7"
    }
    let error = try #require(await harness.refusal())
    #expect(error.code == .unsupportedVersion)
    #expect(error.message.contains("v1.6.7") && error.message.contains("upgrade"))
    await harness.cluster.stop()
  }

  @Test("A certificate of another authority, and one without the role, are told apart")
  func credentials() async throws {
    let harness = try await DriverHarness.start("127.1.14.0", controlPlanes: 1, workers: 0)
    let context = try Talosconfig.context(nil, in: harness.cluster.talosconfig)
    let now = DriverHarness.now()
    let stranger = try Authority.generate(.talos, now: now)
    let foreign = try stranger.issue(.talosClient(), now: now)
    let refused = await harness.refusal(
      Talosconfig.text(
        context: "x", endpoints: context.endpoints, roots: context.roots, identity: foreign))
    #expect(refused?.code == .unauthenticated)
    #expect(refused?.message.contains("unknown certificate authority") == true)
    let untrusting = await harness.refusal(
      Talosconfig.text(
        context: "x", endpoints: context.endpoints, roots: [stranger.certificate],
        identity: context.identity))
    #expect(untrusting?.code == .unauthenticated)
    let bundle = try YAMLParser.parse(harness.cluster.secretsBundle)[0]
    func pem(_ field: String) -> String {
      let text = bundle.node(at: ["certs", "os", .key(field)])?.text ?? ""
      return String(decoding: Base64.decode(text) ?? [], as: UTF8.self)
    }
    let authority = try Authority(certificatePEM: pem("crt"), keyPEM: pem("key"))
    let reader = try authority.issue(.talosClient(roles: ["os:reader"]), now: now)
    let denied = await harness.refusal(
      Talosconfig.text(
        context: "x", endpoints: context.endpoints, roots: context.roots, identity: reader))
    #expect(denied?.code == .permissionDenied)
    #expect(
      denied?.message.contains("os:admin") == true && denied?.message.contains("os:reader") == true)
    let expired = try authority.issue(.talosClient(validity: 60), now: now - 7_200)
    let late = await harness.refusal(
      Talosconfig.text(
        context: "x", endpoints: context.endpoints, roots: context.roots, identity: expired))
    #expect(late?.code == .unauthenticated && late?.message.contains("expired") == true)
    await harness.cluster.stop()
  }

  @Test("A machine that is down is named, and nothing is imported")
  func machineDown() async throws {
    let harness = try await DriverHarness.start("127.1.15.0", controlPlanes: 1, workers: 1)
    let worker = harness.cluster.nodes[1]
    await worker.powerOff()
    let error = try #require(await harness.refusal())
    #expect(error.code == .unreachable)
    #expect(error.message.contains(worker.name))
    try await worker.powerOn()
    let later = await harness.refusal()
    #expect(later == nil, "\(later.map { "\($0.code): \($0.message)" } ?? "")")
    await harness.cluster.stop()
  }

  @Test("A cluster left in PRE-ROTATE is imported with a warning; one left in ROTATE is described")
  func halfRotated() async throws {
    let harness = try await DriverHarness.start("127.1.16.0", controlPlanes: 2, workers: 0)
    let record = try await harness.importCluster()
    for component in SecretComponent.allCases {
      let change = try await harness.change(component, record)
      let access = ClusterAccess(cluster: record, rotation: change)
      _ = try await harness.driver.apply(change, to: record.machines[0], access: access)
      _ = await harness.verified(change, record.machines[0], record)
      let fingerprint = String(change.new.fingerprint.prefix(12))
      let warning = try #require(try await harness.discovered().warnings.first)
      #expect(warning.contains(record.machines[0].id) && warning.contains(fingerprint))
      let preflight = try await harness.driver.preflight(
        component, options: RotationOptions(), access: ClusterAccess(cluster: record))
      #expect(preflight.findings.map(\.kind) == [.foreignAuthority])
      #expect(preflight.findings.first?.message.contains(fingerprint) == true)
      var swapped = change
      swapped.phase = .rotate
      // The other one has to accept it first, or the two would lose each other.
      try await harness.applied(change, to: record.machines[1], access)
      _ = await harness.verified(change, record.machines[1], record)
      try await harness.applied(swapped, to: record.machines[0], access)
      _ = await harness.verified(swapped, record.machines[0], record)
      let error = try #require(await harness.refusal())
      // With a Talos CA that the talosconfig does not know there is no way in.
      #expect(error.code == (component == .talosCA ? .unauthenticated : .conflict))
      #expect(error.message.contains("rotated since") || error.message.contains(fingerprint))
      for (phase, machine) in [
        (RotationPhase.rotate, 0), (.preRotate, 0), (.preRotate, 1),
      ] {
        var back = change
        back.phase = phase
        back.direction = .backward
        try await harness.applied(back, to: record.machines[machine], access)
        _ = await harness.verified(back, record.machines[machine], record)
      }
    }
    #expect(await harness.refusal() == nil)
    #expect(try await harness.discovered().warnings == [])
    await harness.cluster.stop()
  }
}
