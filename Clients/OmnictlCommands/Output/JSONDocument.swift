internal import Encodings
internal import ProtoCodec

/// What `-o json` prints: each document on a line, the messages among them in the JSON form of their schema.
enum JSONDocument {
  /// On one line, without a line feed. Fields that hold their default are there too, so that scripts find what they
  /// look for.
  static func line(_ message: some Message) -> String {
    var options = JSONEncodingOptions()
    options.writesDefaults = true
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

  /// What is told beside the output.
  static func notice(_ text: String) -> String {
    let text = text.hasPrefix("omnictl: ") ? String(text.dropFirst(9)) : text
    return object([("notice", string(text))])
  }

  /// A JSON list of elements that are JSON already.
  static func list(_ elements: [String]) -> String { "[\(elements.joined(separator: ","))]" }

  /// A JSON string of a text as it is, its line breaks included.
  static func text(_ text: String) -> String {
    Printable.json(JSONText.quoted(text))
  }

  /// A JSON string of one line.
  static func string(_ text: String) -> String {
    JSONText.quoted(Printable.line(text))
  }
}
