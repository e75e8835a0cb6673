/// How many columns of a terminal a text takes.
enum DisplayWidth {
  static func of(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.reduce(0) { $0 + of($1) }
  }

  /// A character's width is that of its base; marks that follow it take no room.
  static func of(_ character: Character) -> Int {
    guard let base = character.unicodeScalars.first else { return 0 }
    if isWide(base.value) || character.unicodeScalars.contains("\u{FE0F}") { return 2 }
    switch base.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: return 1
    }
  }

  /// The East Asian wide and fullwidth blocks, and emoji (Unicode Standard Annex 11).
  private static func isWide(_ value: UInt32) -> Bool {
    switch value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
      0xA000...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      true
    default: false
    }
  }

  /// The text, or as much of its beginning as fits with an ellipsis after it.
  static func fit(_ text: String, to columns: Int) -> String {
    if of(text) <= columns { return text }
    guard columns > 0 else { return "" }
    var kept = ""
    var used = 0
    for character in text {
      let width = of(character)
      if used + width > columns - 1 { break }
      kept.append(character)
      used += width
    }
    return kept + "…"
  }

  /// The text on several lines, broken at spaces, within words where there is none. What does not fit
  /// into that many lines is cut off, with an ellipsis.
  static func wrap(_ text: String, to columns: Int, lines limit: Int = .max) -> [String] {
    guard columns > 0 && limit > 0 else { return [] }
    var lines: [String] = []
    var rest = text[...]
    while !rest.isEmpty {
      if lines.count == limit - 1 || of(String(rest)) <= columns {
        return lines + [fit(String(rest), to: columns)]
      }
      let end = rest.index(rest.startIndex, offsetBy: characters(of: rest, in: columns))
      let space = rest[..<end].lastIndex(of: " ") ?? rest.endIndex
      // A line of one short word and a long one is broken within the long one.
      let cut = space < end && of(String(rest[..<space])) * 3 > columns ? space : end
      lines.append(fit(String(rest[..<cut]), to: columns))
      rest = rest[cut...].drop { $0 == " " }
    }
    return lines
  }

  /// How many characters fit, at least one.
  private static func characters(of text: Substring, in columns: Int) -> Int {
    var used = 0
    var count = 0
    for character in text {
      used += of(character)
      if used > columns { break }
      count += 1
    }
    return max(1, count)
  }

  /// The text with spaces after it up to that many columns.
  static func pad(_ text: String, to columns: Int) -> String {
    let missing = columns - of(text)
    return missing > 0 ? text + String(repeating: " ", count: missing) : text
  }
}
