internal import Encodings

/// One event in the log, and its two forms. A line never holds a line break, another control character or one that is not
/// seen and changes how others are (U+202E turns the text round), whatever its values hold. No value makes it longer than a
/// reader can bear.
struct LogLine {
  var time: String
  var level: LogLevel
  var message: String
  var fields: LogFields

  /// The longest message or value, in bytes of UTF-8; what is longer is cut, and ends with an ellipsis.
  static let valueLimit = 2048

  func written(as format: LogFormat) -> String {
    switch format {
    case .text: text
    case .json: json
    }
  }

  private var text: String {
    let level = level.name.uppercased()
    let padding = String(repeating: " ", count: max(0, 7 - level.count))
    var line = "\(time) \(level)\(padding) \(LogLine.escaped(message))"
    for (name, value) in fields.entries {
      switch value {
      case .integer(let number): line += " \(name.rawValue)=\(number)"
      case .string(let text): line += " \(name.rawValue)=\(LogLine.quotedIfNeeded(text))"
      }
    }
    return line + "\n"
  }

  private var json: String {
    var line = "{\"time\":\(LogLine.quoted(time)),\"level\":\"\(level.name)\""
    line += ",\"message\":\(LogLine.quoted(message))"
    for (name, value) in fields.entries {
      line += ",\(LogLine.quoted(name.rawValue)):"
      switch value {
      case .integer(let number): line += String(number)
      case .string(let text): line += LogLine.quoted(text)
      }
    }
    return line + "}\n"
  }

  private static func quotedIfNeeded(_ text: String) -> String {
    let isPlain =
      !text.isEmpty && text.utf8.count <= valueLimit
      && text.unicodeScalars.allSatisfy {
        $0.value > 0x20 && $0 != "\"" && $0 != "=" && $0 != "\\" && !isControl($0)
      }
    return isPlain ? text : quoted(text)
  }

  private static func quoted(_ text: String) -> String { "\"\(escaped(text, quotes: true))\"" }

  /// As in JSON (RFC 8259 section 7), and the control characters beyond ASCII too: a log is read on
  /// terminals.
  private static func escaped(_ text: String, quotes: Bool = false) -> String {
    var result = ""
    var left = valueLimit
    for scalar in text.unicodeScalars {
      left -= UTF8.width(scalar)
      guard left >= 0 else { return result + "…" }
      switch scalar {
      case "\"" where quotes: result += "\\\""
      case "\\" where quotes: result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case let scalar where isControl(scalar):
        // In two halves beyond U+FFFF, as JSON has it.
        for unit in UTF16.encode(scalar) ?? UTF16.EncodedScalar() {
          result += JSONText.escape(unit)
        }
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7F { return scalar.value < 0x20 }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
