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
      return Printable.json("{\"error\":\(quoted("\(error)"))}")
    }
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
