public import ProtoCodec

/// The paths in lowerCamelCase, joined by commas.
extension FieldMask: CustomJSONMessage {
  public func writeJSON(to writer: inout JSONWriter) throws(JSONEncodingError) {
    var names: [String] = []
    for path in paths {
      guard let name = FieldMask.camelCase(path) else {
        throw JSONEncodingError("a path of a field mask cannot be written in lowerCamelCase")
      }
      names.append(name)
    }
    writer.string(names.joined(separator: ","))
  }

  public init(json value: JSONValue, reader: inout JSONReader) throws(JSONDecodingError) {
    guard case .string(let text) = value else {
      throw JSONDecodingError(.wrongKind, "a field mask was expected, not \(value.kind)")
    }
    self.init()
    guard !text.isEmpty else { return }
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let path = FieldMask.snakeCase(name) else {
        throw JSONDecodingError(.invalidValue, "a path of a field mask is not in lowerCamelCase")
      }
      paths.append(path)
    }
  }

  /// Nil when the way back would not lead to the same name.
  private static func camelCase(_ path: String) -> String? {
    var result = ""
    var raise = false
    for character in path.unicodeScalars {
      switch character {
      case "A"..."Z": return nil
      case "_":
        if raise { return nil }
        raise = true
      case "a"..."z" where raise:
        result.unicodeScalars.append(Unicode.Scalar(character.value - 32)!)
        raise = false
      default:
        if raise { return nil }
        result.unicodeScalars.append(character)
      }
    }
    return raise ? nil : result
  }

  private static func snakeCase(_ name: Substring) -> String? {
    var result = ""
    for character in name.unicodeScalars {
      switch character {
      case "_": return nil
      case "A"..."Z":
        result += "_"
        result.unicodeScalars.append(Unicode.Scalar(character.value + 32)!)
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
