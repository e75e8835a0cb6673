internal import Encodings

/// Text from elsewhere (names, errors, a server's messages), made harmless for a terminal.
///
/// Control characters could move the cursor, recolour or retitle the terminal; bidirectional and
/// invisible format characters could make a line read as something it is not.
enum Printable {
  /// One line: line breaks and tabs become a space, other such characters `�`.
  static func line(_ text: String) -> String {
    if isClean(text) { return text }
    var result = String.UnicodeScalarView()
    var previousWasBreak = false
    for scalar in text.unicodeScalars {
      let isBreak = scalar == "\n" || scalar == "\r" || scalar == "\t"
      if isBreak {
        if !previousWasBreak { result.append(" ") }
      } else {
        result.append(isHarmful(scalar) ? "\u{FFFD}" : scalar)
      }
      previousWasBreak = isBreak
    }
    return String(result)
  }

  /// Several lines: line feeds and tabs stay.
  static func text(_ text: String) -> String {
    if isClean(text) { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let stays = scalar == "\n" || scalar == "\t" || !isHarmful(scalar)
      result.append(stays ? scalar : "\u{FFFD}")
    }
    return String(result)
  }

  /// JSON text with such characters written as escapes, so that it is the same JSON and harmless.
  /// They can only stand inside its strings, apart from the line feeds between its tokens.
  static func json(_ text: String) -> String {
    if isClean(text) { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if scalar != "\n" && isHarmful(scalar) {
        result += JSONText.escape(UInt16(scalar.value))
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isClean(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
  }

  /// All of these lie in the Basic Multilingual Plane.
  static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x1F, 0x7F...0x9F: true  // C0, DEL, C1
    case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true  // bidirectional
    case 0x200B, 0x2028, 0x2029, 0x2060, 0xFEFF: true  // invisible, line separators
    default: false
    }
  }
}
