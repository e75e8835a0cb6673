import Crypto
import Encodings
import Orchestrator
import Rotation
import Testing

@testable import TalosDriver

@Suite("Authorities that take no part in the rotation")
struct ForeignAuthorityTests {
  @Test("They are named, and go only when that is asked for", arguments: ConfigCase.all)
  func removed(kind: ConfigCase) throws {
    let authorities = try Authorities(kind.component)
    let foreign = authorities.foreign.certificate
    let original = kind.config(authorities, accepted: [foreign])
    for phase in RotationPhase.allCases {
      var wanted = authorities.wanted(kind.component, phase, kind.role)
      let kept = try MachineConfig(MachineConfigEditor.apply(wanted, to: original.bytes).bytes)
        .trust(kind.component)
      #expect(kept.foreign(managed: wanted.managed) == [foreign])
      wanted.removesForeign = true
      let result = try MachineConfigEditor.apply(wanted, to: original.bytes)
      let trust = try MachineConfig(result.bytes).trust(kind.component)
      #expect(trust.foreign(managed: wanted.managed).isEmpty)
      #expect(trust.accepted == Set(wanted.accepted))
      #expect(try !MachineConfigEditor.apply(wanted, to: result.bytes).changed)
    }
  }

  /// One way in which several certificates share a field.
  struct Sharing: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// What the list's one entry holds; o, n and f stand for old, new and foreign.
    var entry: String
    /// What stands behind the issuing certificate in its field.
    var behind: String
  }

  static let sharings = [
    Sharing(testDescription: "behind the issuer", entry: "", behind: "f"),
    Sharing(testDescription: "old and foreign in one entry", entry: "of", behind: ""),
    Sharing(testDescription: "foreign and new in one entry", entry: "fn", behind: ""),
    Sharing(testDescription: "new behind the issuer", entry: "f", behind: "n"),
    Sharing(testDescription: "all in one entry", entry: "fonf", behind: "f"),
    Sharing(testDescription: "old twice and new", entry: "oon", behind: ""),
  ]

  @Test("Every certificate of every entry counts, and goes alone", arguments: sharings)
  func shared(sharing: Sharing) throws {
    for component in SecretComponent.allCases {
      for role in MachineRole.allCases {
        for isClosed in [true, false] {
          for removesForeign in [false, true] {
            try check(sharing, component, role, isClosed, removesForeign)
          }
        }
      }
    }
  }

  private func check(
    _ sharing: Sharing, _ component: SecretComponent, _ role: MachineRole, _ isClosed: Bool,
    _ removesForeign: Bool
  ) throws {
    let authorities = try Authorities(component)
    func pems(_ letters: String) -> String {
      let text = letters.map { letter in
        switch letter {
        case "o": authorities.old.certificate.pem
        case "n": authorities.new.certificate.pem
        default: authorities.foreign.certificate.pem
        }
      }.joined()
      return isClosed ? text : String(text.dropLast())
    }
    let config = ConfigFixtures.make(
      component, role, .legacy, .generated, issuing: authorities.old,
      accepted: sharing.entry.isEmpty ? [] : [authorities.foreign.certificate],
      other: authorities.other)
    let text = config.text
      .replacing(Base64.encode(authorities.foreign.certificate.pem), with: "@entry")
      .replacing(Base64.encode(authorities.old.certificate.pem), with: "@issuing")
      .replacing("@entry", with: Base64.encode(pems(sharing.entry)))
      .replacing("@issuing", with: Base64.encode(pems("o" + sharing.behind)))
    let hasForeign = (sharing.entry + sharing.behind).contains("f") && !removesForeign
    var bytes = Array(text.utf8)
    for phase in RotationPhase.allCases {
      var wanted = authorities.wanted(component, phase, role)
      wanted.removesForeign = removesForeign
      bytes = try MachineConfigEditor.apply(wanted, to: bytes).bytes
      let trust = try MachineConfig(bytes).trust(component)
      let expected = wanted.accepted + (hasForeign ? [authorities.foreign.certificate] : [])
      #expect(trust.accepted == Set(expected))
      #expect(trust.issuing == wanted.issuing)
      #expect(trust.unreadable == 0)
      #expect(try !MachineConfigEditor.apply(wanted, to: bytes).changed)
    }
  }
}
