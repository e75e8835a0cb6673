/// Makes what a peer said fit for an error or a log: short, on one line, without anything that could be key
/// material, and without characters that steer a terminal or turn the order of a line around.
enum PeerText {
  static let limit = 300

  static func clean(_ text: String) -> String {
    var out = ""
    var run = ""
    for scalar in text.unicodeScalars.prefix(4 * limit) {
      if scalar.isASCII, isOfKeys(scalar) {
        run.unicodeScalars.append(scalar)
        continue
      }
      out += shortened(run)
      run = ""
      out.unicodeScalars.append(isPrintable(scalar) ? scalar : " ")
      if out.utf8.count > limit { break }
    }
    out += shortened(run)
    if let begin = out.ranges(of: "-----BEGIN").first { out = out[..<begin.lowerBound] + "…" }
    return out.count > limit ? String(out.prefix(limit)) + "…" : out
  }

  /// A host name as RFC 1123 has it, in the letters that were given; nil for anything else.
  static func hostName(_ text: String) -> String? {
    guard (1...253).contains(text.utf8.count) else { return nil }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    let isName = labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
        && label.unicodeScalars.allSatisfy { isLetterOrDigit($0) || $0 == "-" || $0 == "_" }
    }
    return isName ? text : nil
  }

  /// The identity of a node: random bytes in base 62 or base 64. Nil for anything else.
  static func identity(_ text: String) -> String? {
    guard (1...128).contains(text.utf8.count) else { return nil }
    return text.unicodeScalars.allSatisfy { isOfKeys($0) || $0 == "-" } ? text : nil
  }

  private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9": true
    default: false
    }
  }

  private static func isOfKeys(_ scalar: Unicode.Scalar) -> Bool {
    isLetterOrDigit(scalar) || scalar == "+" || scalar == "/" || scalar == "=" || scalar == "_"
  }

  /// Control characters (C0, C1), format characters (bidirectional ones among them), line and paragraph
  /// separators and what is no character at all are not.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      false
    default: true
    }
  }

  /// A run of letters and digits this long may be base64 of anything.
  private static func shortened(_ run: String) -> String { run.utf8.count > 64 ? "…" : run }
}
