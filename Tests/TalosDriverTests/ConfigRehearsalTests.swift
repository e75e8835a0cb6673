import Crypto
import Encodings
import Orchestrator
import Rotation
import Testing

@testable import TalosDriver

@Suite("Rehearsing a rotation in memory")
struct ConfigRehearsalTests {
  private let talos: Authorities
  private let kubernetes: Authorities
  private let config: ConfigText

  init() throws {
    talos = try Authorities(.talosCA)
    kubernetes = try Authorities(.kubernetesCA)
    config = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: talos.old, other: kubernetes.old)
  }

  private var changes: [ConfigRehearsal.Change] {
    [
      .init(
        component: .talosCA, old: talos.old.certificate, new: talos.new.certificate,
        newKey: talos.new.key.secretPEM),
      .init(
        component: .kubernetesCA, old: kubernetes.old.certificate,
        new: kubernetes.new.certificate, newKey: kubernetes.new.key.secretPEM),
    ]
  }

  private func refusal(_ text: String) -> DriverError? {
    do {
      try ConfigRehearsal.run(Array(text.utf8), role: .controlPlane, changes)
      return nil
    } catch { return error }
  }

  private func line(of part: String, in text: String) throws -> Int {
    let start = try #require(text.ranges(of: part).first?.lowerBound)
    return text[..<start].split(separator: "\n", omittingEmptySubsequences: false).count
  }

  @Test("Both components at once come out as if the new CAs had always been there")
  func both() throws {
    let result = try ConfigRehearsal.run(config.bytes, role: .controlPlane, changes)
    let renewed = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: talos.new, other: kubernetes.new)
    #expect(String(decoding: result, as: UTF8.self) == renewed.text)
  }

  @Test("A stand-in for the new CA serves as well")
  func standIn() throws {
    let change = try ConfigRehearsal.Change.standIn(
      .kubernetesCA, old: kubernetes.old.certificate, now: 1_700_000_000)
    let result = try ConfigRehearsal.run(config.bytes, role: .controlPlane, [change])
    let trust = try MachineConfig(result).trust(.kubernetesCA)
    #expect(trust.accepted == [change.new])
  }

  @Test("An anchor that another field shares is refused with field, stage, line and cure")
  func sharedAnchor() throws {
    let crt = Base64.encode(kubernetes.old.certificate.pem)
    let key = Base64.encode(kubernetes.old.key.pem)
    for (value, field) in [(crt, "cluster.ca.crt"), (key, "cluster.ca.key")] {
      let name = field.hasSuffix("crt") ? "crt" : "key"
      let text = config.text.replacing("\(name): \(value)", with: "\(name): &k \(value)")
        .replacing("    # the end\n", with: "    aggregatorCA:\n        \(name): *k\n")
      let line = try line(of: "\(name): &k", in: text)
      let error = try #require(refusal(text))
      #expect(error.code == .invalidConfig)
      #expect(
        error.message.contains("\(field) (line \(line), column 14)"), "\(error.message)")
      #expect(error.message.contains("in ROTATE"))
      #expect(error.message.contains("alias"))
      #expect(error.message.contains("write the value out"))
    }
  }

  @Test("An authority that is an alias, and one behind a merge key, are refused with the cure")
  func aliases() throws {
    let crt = Base64.encode(kubernetes.old.certificate.pem)
    let key = Base64.encode(kubernetes.old.key.pem)
    let written = "    ca:\n        crt: \(crt)\n        key: \(key)\n"
    try #require(config.text.contains(written))
    let shared = "x-ca: &ca\n  crt: \(crt)\n  key: \(key)\n"
    let alias = shared + config.text.replacing(written, with: "    ca: *ca\n")
    let error = try #require(refusal(alias))
    #expect(error.message.contains("cluster.ca") && error.message.contains("write its value out"))
    let merged = shared + config.text.replacing(written, with: "    ca:\n        <<: *ca\n")
    #expect(try #require(refusal(merged)).message.contains("write its fields out"))
  }

  @Test("Keys in the long form (? key) are edited")
  func complexKeys() throws {
    for name in ["crt", "key"] {
      let pem = name == "crt" ? talos.old.certificate.pem : talos.old.key.pem
      let value = Base64.encode(pem)
      let text = config.text.replacing(
        "        \(name): \(value)", with: "        ? \(name)\n        : \(value)")
      #expect(text != config.text)
      let result = try ConfigRehearsal.run(Array(text.utf8), role: .controlPlane, changes)
      let trust = try MachineConfig(result).trust(.talosCA)
      #expect(trust.accepted == [talos.new.certificate])
      #expect(String(decoding: result, as: UTF8.self).contains("? \(name)\n        : "))
    }
  }

  @Test("A configuration of another role is a conflict")
  func role() {
    #expect(throws: DriverError.self) {
      try ConfigRehearsal.run(config.bytes, role: .worker, changes)
    }
  }
}
