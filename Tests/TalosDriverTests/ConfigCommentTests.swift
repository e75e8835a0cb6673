import Crypto
import Rotation
import Testing

@testable import TalosDriver

@Suite("Comments beside the CA fields stay")
struct ConfigCommentTests {
  private let authorities: Authorities
  private let plain: ConfigText

  init() throws {
    authorities = try Authorities(.talosCA)
    plain = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: authorities.old,
      other: authorities.other)
  }

  /// The lists of accepted authorities with comments; $F and $O stand for certificates.
  static let lists: [String] = [
    " null # none yet", " ~ # none yet", " # none yet", " [] # none yet",
    " # none yet\n        # below\n        - crt: $F # of partner",
    " # a\n        # b\n        - crt: $N\n        # c\n        # d",
    " [\n      {crt: $O},\n      # about partner\n      {crt: $F},\n    ]",
    " [\n      {crt: $F}, # about partner\n      # about new\n      {crt: $N}\n    ]",
    " [\n      # first\n      {crt: $N} # and\n      # more\n    ]",
    " [ # open\n      {crt: $O}, {crt: $F}, # both\n      {crt: $N} # last\n    ] # closed",
  ]

  @Test("Through all stages", arguments: lists)
  func comments(list: String) throws {
    let written = list.replacing("$O", with: Base64.encode(authorities.old.certificate.pem))
      .replacing("$N", with: Base64.encode(authorities.new.certificate.pem))
      .replacing("$F", with: Base64.encode(authorities.foreign.certificate.pem))
    let text = plain.before + plain.fields + "    acceptedCAs:\(written)\n" + plain.after
    let comments = list.split(separator: "\n").compactMap { line in
      line.firstIndex(of: "#").map { String(line[$0...]) }
    }
    var bytes = Array(text.utf8)
    for phase in RotationPhase.allCases {
      let wanted = authorities.wanted(.talosCA, phase, .controlPlane)
      bytes = try MachineConfigEditor.apply(wanted, to: bytes).bytes
      let edited = String(decoding: bytes, as: UTF8.self)
      for comment in comments { #expect(edited.contains(comment), "\(phase)\n\(edited)") }
      let trust = try MachineConfig(bytes).trust(.talosCA)
      #expect(
        trust.accepted == Set(wanted.accepted).union(trust.foreign(managed: wanted.managed)))
      #expect(edited.hasPrefix(plain.before) && edited.hasSuffix(plain.after))
    }
  }
}
