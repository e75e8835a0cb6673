/// The known name that somebody may have meant by one that is not known.
enum NearestName {
  /// A longer name is not looked at: what is shown of it is not longer either.
  private static let longest = 64

  /// The name with the fewest edits, upper and lower case and underscores aside; nil when none is near.
  static func of(_ name: String, among known: some Sequence<String>) -> String? {
    let wanted = folded(name)
    guard (1...longest).contains(wanted.count) else { return nil }
    var best: (name: String, edits: Int)?
    for candidate in known {
      let letters = folded(candidate)
      let most = min(best.map { $0.edits - 1 } ?? .max, max(wanted.count, letters.count) / 2)
      guard abs(letters.count - wanted.count) <= most else { continue }
      let edits = distance(wanted, letters)
      if edits <= most { best = (candidate, edits) }
    }
    return best?.name
  }

  private static func folded(_ name: String) -> [UInt8] {
    name.utf8.compactMap { byte in
      switch byte {
      case 0x5f, 0x2d: nil
      case 0x41...0x5a: byte | 0x20
      default: byte
      }
    }
  }

  /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
  static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var before: [Int] = []
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var edits = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          edits = min(edits, before[j - 1] + 1)
        }
        row.append(edits)
      }
      before = last
      last = row
    }
    return last[b.count]
  }
}

extension String {
  /// For error messages: what a peer sent, in at most 64 characters, without any that are not shown or
  /// change how the others are (C0, C1, directions, line separators).
  var printable: String {
    var kept = ""
    for scalar in unicodeScalars.prefix(64) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
        kept.append("?")
      default:
        kept.unicodeScalars.append(scalar == "\"" || scalar == "\\" ? "?" : scalar)
      }
    }
    return kept
  }
}
