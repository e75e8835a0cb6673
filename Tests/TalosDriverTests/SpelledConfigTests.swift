import Crypto
import Encodings
import Orchestrator
import Rotation
import Testing
import YAML

@testable import TalosDriver

@Suite("A whole rotation of every spelling of the CA fields")
struct SpelledConfigTests {
  /// What Talos reads, by rules that are written here once more: entries joined without a separator, of
  /// which a certificate is what stands between a BEGIN and an END line that are whole lines.
  private func read(_ bytes: [UInt8], _ spelling: SpelledConfig) throws -> [[Certificate]] {
    let config = try MachineConfig(bytes)
    let place = try config.place(of: spelling.component)
    let document = config.documents[place.document(in: config)]
    func text(_ node: YAMLNode?) throws -> String {
      let text = node?.text ?? ""
      if spelling.isDocument { return text }
      return String(decoding: try #require(Base64.decode(text, .folded)), as: UTF8.self)
    }
    let authority = try text(
      document.node(at: place.authorityPath + [.key(place.certificateKey)]))
    let list = try (document.node(at: place.listPath)?.items ?? []).map {
      try text(spelling.isDocument ? $0 : $0["crt"])
    }
    let first = authority + list.joined()
    let last = list.joined() + authority
    let orders =
      spelling.isDocument ? [first] : spelling.component == .talosCA ? [last] : [first, last]
    return try orders.map { joined in
      var certificates: [Certificate] = []
      var body: String?
      for line in joined.split(separator: "\n", omittingEmptySubsequences: false) {
        if line == "-----BEGIN CERTIFICATE-----" {
          body = ""
        } else if line == "-----END CERTIFICATE-----", let digits = body {
          certificates.append(try Certificate(der: try #require(Base64.decode(digits))))
          body = nil
        } else {
          body? += line
        }
      }
      return certificates
    }
  }

  @Test("Talos reads what it should after every stage", arguments: SpelledConfig.all)
  func everySpelling(spelling: SpelledConfig) throws {
    let authorities = try Authorities(spelling.component)
    let foreign = authorities.foreign.certificate
    // With and without a last line break of the PEM texts and of the file.
    for (accepted, isClosed, isEnded) in [
      ([], true, false), ([], false, false), ([foreign], false, true), ([foreign], true, false),
    ] {
      let whole = spelling.text(issuing: authorities.old, accepted: accepted, isClosed: isClosed)
      let text = isEnded ? whole : String(whole.dropLast())
      try check(text, spelling, authorities, foreign: accepted)
    }
  }

  private func check(
    _ text: String, _ spelling: SpelledConfig, _ authorities: Authorities, foreign: [Certificate]
  ) throws {
    var bytes = Array(text.utf8)
    for phase in RotationPhase.allCases {
      let wanted = authorities.wanted(spelling.component, phase, spelling.role)
      bytes = try MachineConfigEditor.apply(wanted, to: bytes).bytes
      for certificates in try read(bytes, spelling) {
        #expect(Set(certificates) == Set(wanted.accepted + foreign), "\(phase)\n\(text)")
      }
      if phase == .postRotate {
        #expect(try !MachineConfigEditor.apply(wanted, to: bytes).changed)
      }
      let edited = String(decoding: bytes, as: UTF8.self)
      let fields = spelling.isDocument ? "KubeAPIServerCAConfig\n" : "token: a.b # keep\n"
      let head = try #require(text.ranges(of: fields).first?.upperBound)
      #expect(edited.hasPrefix(text[..<head]))
    }
    #expect(
      try MachineConfig(bytes).trust(spelling.component).issuing
        ?? authorities.new.certificate == authorities.new.certificate)
  }
}
