/// One event in the log, and its two forms. A line never holds a line break or another control
/// character, whatever its values hold.
struct LogLine {
  var time: String
  var level: LogLevel
  var message: String
  var fields: [(name: String, value: LogValue)]

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
    for (name, value) in fields {
      switch value {
      case .integer(let number): line += " \(name)=\(number)"
      case .string(let text): line += " \(name)=\(LogLine.quotedIfNeeded(text))"
      }
    }
    return line + "\n"
  }

  private var json: String {
    var line = "{\"time\":\(LogLine.quoted(time)),\"level\":\"\(level.name)\""
    line += ",\"message\":\(LogLine.quoted(message))"
    for (name, value) in fields {
      line += ",\(LogLine.quoted(name)):"
      switch value {
      case .integer(let number): line += String(number)
      case .string(let text): line += LogLine.quoted(text)
      }
    }
    return line + "}\n"
  }

  private static func quotedIfNeeded(_ text: String) -> String {
    let isPlain =
      !text.isEmpty
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
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"" where quotes: result += "\\\""
      case "\\" where quotes: result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case let scalar where isControl(scalar):
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
      || scalar.value == 0x2028 || scalar.value == 0x2029
  }
}
