/// Makes what a peer said fit for an error or a log: short, on one line, and without anything that
/// could be key material.
enum PeerText {
  static let limit = 300

  static func clean(_ text: String) -> String {
    var out = ""
    var run = ""
    for character in text {
      if character.isASCII, character.isLetter || character.isNumber || "+/=_".contains(character) {
        run.append(character)
        continue
      }
      out += shortened(run)
      run = ""
      out.append(character.isNewline || character.isWhitespace ? " " : character)
      if out.utf8.count > limit { break }
    }
    out += shortened(run)
    if let begin = out.ranges(of: "-----BEGIN").first { out = out[..<begin.lowerBound] + "…" }
    return out.count > limit ? String(out.prefix(limit)) + "…" : out
  }

  /// A run of letters and digits this long may be base64 of anything.
  private static func shortened(_ run: String) -> String { run.utf8.count > 64 ? "…" : run }
}
