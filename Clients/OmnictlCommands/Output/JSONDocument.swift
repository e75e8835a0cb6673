internal import ProtoCodec

/// Messages in the JSON form of their schema.
enum JSONDocument {
  /// On lines of its own, indented, with a line feed at the end.
  static func pretty(_ message: some Message) -> String { text(message, isPretty: true) + "\n" }

  /// On one line, without a line feed.
  static func compact(_ message: some Message) -> String { text(message, isPretty: false) }

  /// Fields that hold their default are there too, so that scripts find what they look for.
  private static func text(_ message: some Message, isPretty: Bool) -> String {
    var options = JSONEncodingOptions()
    options.writesDefaults = true
    options.isPretty = isPretty
    do {
      return Printable.json(try message.json(options))
    } catch {
      // A timestamp that a server made up, say: there is no JSON for it.
      return object([("error", string("\(error)"))])
    }
  }

  /// A JSON object of members whose values are JSON already.
  static func object(_ members: [(name: String, value: String)]) -> String {
    "{" + members.map { "\(string($0.name)):\($0.value)" }.joined(separator: ",") + "}"
  }

  /// A JSON string of one line.
  static func string(_ text: String) -> String {
    let quoted = Printable.line(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    return "\"\(quoted)\""
  }
}
