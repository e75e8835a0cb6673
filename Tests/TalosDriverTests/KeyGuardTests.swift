import Crypto
import Encodings
import Orchestrator
import Rotation
import Testing

@testable import TalosDriver

@Suite("A key goes only where one was")
struct KeyGuardTests {
  private static let stages: [(SecretComponent, Layout, RotationPhase)] =
    SecretComponent.allCases.flatMap { component in
      Layout.allCases.flatMap { layout in
        RotationPhase.allCases.map { (component, layout, $0) }
      }
    }

  private func refusal(_ wanted: WantedTrust, _ text: String) -> DriverError? {
    do {
      _ = try MachineConfigEditor.apply(wanted, to: Array(text.utf8))
      return nil
    } catch { return error }
  }

  /// A key as a place writes it: base64, or lines of a literal block.
  private func written(_ pem: String, in text: String) throws -> String {
    let base64 = Base64.encode(pem)
    if text.contains(base64) { return base64 }
    let lines = pem.split(separator: "\n").map(String.init)
    return try #require(lines.count > 2 ? lines[1] : nil)
  }

  @Test("A control plane without the key of its CA, or with another's, gets none in any stage")
  func keyless() throws {
    for (component, layout, phase) in Self.stages {
      let authorities = try Authorities(component)
      for issuing in [authorities.old, authorities.new] {
        let config = ConfigFixtures.make(
          component, .controlPlane, layout, .flow, issuing: issuing, other: authorities.other)
        let wanted = authorities.wanted(component, phase, .controlPlane)
        func quoted(_ pem: String) -> String {
          "\"" + pem.split(separator: "\n").map { $0 + "\\n" }.joined() + "\""
        }
        let isLegacy = component == .talosCA || layout == .legacy
        let key = isLegacy ? Base64.encode(issuing.key.pem) : quoted(issuing.key.pem)
        let stranger =
          isLegacy
          ? Base64.encode(authorities.foreign.key.pem) : quoted(authorities.foreign.key.pem)
        try #require(config.text.contains(key))
        #expect(refusal(wanted, config.text) == nil)
        for other in [stranger, "\"\"", "null"] {
          let error = refusal(wanted, config.text.replacing("key: " + key, with: "key: " + other))
          #expect(error?.code == .conflict, "\(component) \(layout) \(phase) \(other.prefix(4))")
          #expect(error?.message.contains("key") == true)
        }
      }
    }
  }

  @Test("A key that brings the right public half along, and another private half, is no proof")
  func forged() throws {
    let real = try Authority.generate(.kubernetes, now: 1_700_000_000)
    let other = try Authority.generate(.kubernetes, now: 1_700_000_000)
    // SEC1: SEQUENCE { 1, OCTET STRING private, [0] curve, [1] BIT STRING public }.
    func body(_ key: PrivateKey) throws -> [UInt8] {
      let lines = key.pem.split(separator: "\n").dropFirst().dropLast()
      return try #require(Base64.decode(lines.joined()))
    }
    let (realBody, otherBody) = (try body(real.key), try body(other.key))
    try #require(realBody.count == otherBody.count && realBody.count == 121)
    let forged = Array(otherBody.prefix(7 + 32)) + Array(realBody.dropFirst(7 + 32))
    let text =
      "-----BEGIN EC PRIVATE KEY-----\n" + Base64.encode(forged)
      + "\n-----END EC PRIVATE KEY-----\n"
    #expect(KeyProof.holds(real.key.secretPEM, for: real.certificate))
    #expect(!KeyProof.holds(SecretBytes(copying: Array(text.utf8)), for: real.certificate))
    #expect(!KeyProof.holds(other.key.secretPEM, for: real.certificate))
    #expect(!KeyProof.holds(SecretBytes(copying: []), for: real.certificate))
  }

  @Test("Nothing is taken back on a machine that is past the rotation")
  func past() throws {
    for component in SecretComponent.allCases {
      for role in MachineRole.allCases {
        for layout in Layout.allCases {
          let authorities = try Authorities(component)
          for phase in [RotationPhase.preRotate, .rotate] {
            var wanted = authorities.wanted(component, phase, role, .backward)
            wanted.kept = authorities.old.certificate
            let past = ConfigFixtures.make(
              component, role, layout, .generated, issuing: authorities.new,
              other: authorities.other)
            let error = refusal(wanted, past.text)
            #expect(error?.code == .conflict, "\(component) \(role) \(layout)")
            #expect(error?.message.contains("rotate adopt") == true)
          }
        }
      }
    }
  }

  @Test("A stage is not made backwards: PRE-ROTATE of a machine that issues from the new CA")
  func backwards() throws {
    for component in SecretComponent.allCases {
      for role in MachineRole.allCases {
        for layout in Layout.allCases {
          let authorities = try Authorities(component)
          var wanted = authorities.wanted(component, .preRotate, role)
          wanted.successor = authorities.new.certificate
          let ahead = ConfigFixtures.make(
            component, role, layout, .generated, issuing: authorities.new,
            other: authorities.other)
          let error = refusal(wanted, ahead.text)
          #expect(error?.code == .conflict, "\(component) \(role) \(layout)")
          #expect(error?.message.contains("backup") == true)
          let before = ConfigFixtures.make(
            component, role, layout, .generated, issuing: authorities.old,
            other: authorities.other)
          #expect(refusal(wanted, before.text) == nil)
        }
      }
    }
  }
}
