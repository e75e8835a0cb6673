import Crypto
import Encodings
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

  @Test(
    "Text around a certificate in a CA field stays with it, in the issuing field and in the list")
  func explained() throws {
    let authorities = try Authorities(.kubernetesCA)
    let spelling = SpelledConfig(
      component: .kubernetesCA, role: .controlPlane, isDocument: true, scalar: .literal,
      list: .indented)
    func explained(_ pem: String, _ word: String) -> String {
      "subject=\(word)\n    Serial: 1\n" + pem + "behind \(word)\n"
    }
    let pad = "    "
    func block(_ text: String) -> String {
      text.split(separator: "\n").map { pad + $0 + "\n" }.joined()
    }
    let text = spelling.text(
      issuing: authorities.old, accepted: [authorities.new.certificate], isClosed: true)
    let old = block(authorities.old.certificate.pem)
    let new = block(authorities.new.certificate.pem)
    let written = text.replacing(old, with: block(explained(authorities.old.certificate.pem, "a")))
      .replacing(new, with: block(explained(authorities.new.certificate.pem, "b")))
    #expect(written != text)
    let wanted = authorities.wanted(.kubernetesCA, .rotate, .controlPlane)
    let edited = String(
      decoding: try MachineConfigEditor.apply(wanted, to: Array(written.utf8)).bytes, as: UTF8.self)
    // The certificates change places, the words do not.
    let swapped = text.replacing(old, with: "first").replacing(new, with: "second")
      .replacing("first", with: block(explained(authorities.new.certificate.pem, "a")))
      .replacing("second", with: block(explained(authorities.old.certificate.pem, "b")))
    func withoutKey(_ text: String) -> String {
      let parts = text.split(separator: "  key:", maxSplits: 1)
      let list = parts[1].firstRange(of: "acceptedCAs").map { parts[1][$0.lowerBound...] } ?? ""
      return String(parts[0]) + String(list)
    }
    #expect(withoutKey(edited) == withoutKey(swapped))
  }

  @Test("Base64 that ends in set bits and a text with CR LF are read, as Talos reads them")
  func lenientBase64() throws {
    let authorities = try Authorities(.talosCA)
    var pem = authorities.old.certificate.pem.replacing("\n", with: "\r\n")
    // Two bytes or one in the last group.
    while pem.utf8.count % 3 == 0 { pem += "\r\n" }
    var base64 = Base64.encode(pem)
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    let place = try #require(base64.lastIndex { $0 != "=" })
    let value = try #require(digits.firstIndex(of: base64[place]))
    base64.replaceSubrange(place...place, with: String(digits[digits.index(after: value)]))
    let text = ConfigFixtures.make(
      .talosCA, .controlPlane, .legacy, .generated, issuing: authorities.old,
      other: authorities.other)
    let fields = text.fields.replacing(
      Base64.encode(authorities.old.certificate.pem), with: base64)
    #expect(fields != text.fields)
    let config = try MachineConfig(Array((text.before + fields + text.after).utf8))
    #expect(try config.trust(.talosCA).issuing == authorities.old.certificate)
  }

  /// Where comments stand around a field's value.
  enum Comments: CaseIterable, Sendable { case beside, below }

  @Test("In every spelling", arguments: SpelledConfig.all, Comments.allCases)
  func everySpelling(spelling: SpelledConfig, comments: Comments) throws {
    let authorities = try Authorities(spelling.component)
    let plain = spelling.text(
      issuing: authorities.old,
      accepted: [authorities.new.certificate, authorities.foreign.certificate], isClosed: true)
    var commented = Commented(comments)
    for line in plain.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      commented.add(line)
    }
    let text = commented.lines.joined(separator: "\n") + "\n"
    #expect(commented.comments.count > 1 || spelling.list == .flow || spelling.scalar == .single)
    var bytes = Array(text.utf8)
    for phase in RotationPhase.allCases {
      let wanted = authorities.wanted(spelling.component, phase, spelling.role)
      bytes = try MachineConfigEditor.apply(wanted, to: bytes).bytes
      let edited = String(decoding: bytes, as: UTF8.self)
      // What is taken out of the list takes the comments on its lines with it.
      let isListOnly = spelling.isDocument && spelling.role == .worker
      let removed = phase == .postRotate ? commented.listed.prefix(isListOnly ? 2 : 1) : []
      for (field, comment) in commented.comments where !removed.contains(field) {
        #expect(edited.contains(comment), "\(phase): \(comment)\n\(edited)")
      }
    }
  }

  /// A configuration's lines, each CA field of them with comments.
  private struct Commented {
    let place: Comments
    var lines: [String] = []
    /// The field and its comment.
    var comments: [(field: Int, text: String)] = []
    /// The fields that are entries of the accepted list.
    var listed: [Int] = []
    private var field = 0
    private var isInList = false

    init(_ place: Comments) { self.place = place }

    mutating func add(_ line: Substring) {
      isInList = isInList || line.contains("acceptedCAs:")
      let indent = line.prefix { $0 == " " || $0 == "-" && line.contains("- ") }
      guard
        let (key, value) = Self.field(line.dropFirst(indent.count), isItem: indent.hasSuffix("- "))
      else { return lines.append(String(line)) }
      field += 1
      if isInList { listed.append(field) }
      // A quoted value that goes on for several lines has no room for a comment on the first.
      guard value.first != "'" || value.hasSuffix("'") else { return lines.append(String(line)) }
      let pad = String(repeating: " ", count: indent.count + 2)
      let names = place == .below ? ["above", "between", "beside"] : ["beside"]
      let texts = names.map { "# field \(field) \($0)." }
      comments += texts.map { (field, $0) }
      switch place {
      case .beside: lines.append("\(indent)\(key)\(value) \(texts[0])")
      case .below:
        let start = key.isEmpty ? indent.dropLast() : indent + key.dropLast()
        lines += ["\(start) \(texts[0])", pad + texts[1], "\(pad)\(value) \(texts[2])"]
      }
    }

    /// The key, with its colon and a blank, and what begins behind it.
    private static func field(_ text: Substring, isItem: Bool) -> (key: String, value: Substring)? {
      for key in ["crt: ", "cert: ", "key: "] where text.hasPrefix(key) {
        return (key, text.dropFirst(key.count))
      }
      return isItem && !text.contains(": ") ? ("", text) : nil
    }
  }
}
