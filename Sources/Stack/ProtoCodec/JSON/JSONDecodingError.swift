/// Why a text is not JSON, or not the JSON form of the expected message.
///
/// It names places, never values: a value may be secret.
public struct JSONDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// Not JSON by RFC 8259.
    case syntax
    /// A string or the text is not UTF-8, or has an escape that stands for half a character.
    case invalidUTF8
    /// Nested beyond the limit.
    case tooDeep
    /// Larger than the limits allow.
    case tooLarge
    /// A key stands twice in an object, or a field was set twice.
    case duplicate
    /// Two cases of a oneof.
    case duplicateOneof
    /// A string where an object should be, and the like.
    case wrongKind
    /// A number that the field's type cannot hold.
    case outOfRange
    /// A string that is not what the field's type wants: base64, a date, an enum's name, …
    case invalidValue
    /// A field that the message does not have.
    case unknownField
    /// An `Any` of a type that is not in the registry.
    case unknownType
  }

  public var code: Code
  /// The place in the message, such as `machines[3].startedAt`; empty for the outermost value.
  public var path: String
  /// The place in the text, when it is not JSON; -1 otherwise.
  public var offset: Int
  /// What was wrong, in a few words.
  public var reason: String

  public init(_ code: Code, _ reason: String, path: String = "", offset: Int = -1) {
    self.code = code
    self.reason = reason
    self.path = path
    self.offset = offset
  }

  /// A field that the message does not have, with the one that was probably meant.
  init(unknownField name: String, of layout: MessageLayout) {
    let nearest = NearestName.of(name, among: layout.fields.map(\.jsonName))
    self.init(
      .unknownField,
      nearest.map { "did you mean \"\($0)\"?" } ?? "\(layout.name) has no such field",
      path: name.printable)
  }

  public var description: String {
    if code == .unknownField { return "JSON: unknown field \"\(path)\"; \(reason)" }
    if offset >= 0 { return "JSON: \(reason) (at byte \(offset))" }
    return path.isEmpty ? "JSON: \(reason)" : "JSON: \(path): \(reason)"
  }

  /// The same fault seen from the message around it.
  func within(_ name: String) -> Self {
    guard offset < 0 else { return self }
    var error = self
    error.path =
      path.isEmpty ? name : path.hasPrefix("[") ? name + path : name + "." + path
    return error
  }
}

/// Why a message has no JSON form.
public struct JSONEncodingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was wrong, in a few words; no values.
  public var reason: String

  public init(_ reason: String) { self.reason = reason }

  public var description: String { "JSON: \(reason)" }
}
