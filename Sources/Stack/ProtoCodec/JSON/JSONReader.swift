extension Message {
  /// Reads the JSON form. Names in lowerCamelCase and those of the .proto are taken.
  public init(
    json text: String, options: JSONDecodingOptions = .default
  ) throws(JSONDecodingError) {
    try self.init(json: Array(text.utf8), options: options)
  }

  /// Reads the JSON form from UTF-8.
  public init(
    json text: [UInt8], options: JSONDecodingOptions = .default
  ) throws(JSONDecodingError) {
    let limits = JSONValue.ParsingLimits(
      maximumDepth: options.maximumDepth, maximumBytes: options.maximumBytes)
    try self.init(json: JSONValue(parsing: text, limits: limits), options: options)
  }

  /// Reads the JSON form from a parsed value.
  public init(
    json value: JSONValue, options: JSONDecodingOptions = .default
  ) throws(JSONDecodingError) {
    var reader = JSONReader(options: options)
    self = try reader.message(Self.self, from: value)
  }
}

/// Reads messages from JSON values.
public struct JSONReader {
  public let options: JSONDecodingOptions
  private var depth: Int
  private var memory: Int

  init(options: JSONDecodingOptions) {
    self.options = options
    depth = options.maximumDepth
    memory = options.maximumMemory
  }

  /// A message from its JSON form.
  public mutating func message<Root: Message>(
    _ type: Root.Type, from value: JSONValue
  ) throws(JSONDecodingError) -> Root {
    var message = Root()
    try withUnsafeMutablePointer(to: &message) { pointer throws(JSONDecodingError) in
      try self.message(Root.fields.layout, value, into: UnsafeMutableRawPointer(pointer))
    }
    return message
  }

  /// Takes the memory of one more element of a list or map from what the options allow.
  public mutating func spend<Element>(elementsOf type: Element.Type) throws(JSONDecodingError) {
    try spend(MemoryLayout<Element>.stride)
  }

  /// Takes the memory of one more element of `stride` bytes from what the options allow.
  mutating func spend(_ stride: Int) throws(JSONDecodingError) {
    memory -= stride
    if memory < 0 { throw JSONDecodingError(.tooLarge, "the message has too many elements") }
  }

  mutating func message(
    _ layout: MessageLayout, _ value: JSONValue, into base: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    guard depth > 0 else { throw JSONDecodingError(.tooDeep, "messages are nested too deeply") }
    depth -= 1
    defer { depth += 1 }
    if let custom = layout.customJSON {
      try custom.read(base, value, &self)
      return
    }
    guard case .object(let object) = value else {
      throw JSONDecodingError(.wrongKind, "an object was expected, not \(value.kind)")
    }
    try fields(layout, object, into: base)
  }

  private mutating func fields(
    _ layout: MessageLayout, _ object: JSONObject, into base: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    let names = layout.namesForJSON()
    var seen: Set<Int> = []
    var seenOneofs: Set<String> = []
    for member in object.members {
      guard let position = names.positions[member.key] else {
        if options.ignoresUnknown { continue }
        throw JSONDecodingError(unknownField: member.key, of: layout)
      }
      let field = layout.fields[position]
      guard seen.insert(position).inserted else {
        throw JSONDecodingError(.duplicate, "the field is given twice", path: field.name)
      }
      if member.value.isNull, field.isRepeated || !field.acceptsNull { continue }
      if let oneof = field.oneof, !seenOneofs.insert(oneof).inserted {
        throw JSONDecodingError(
          .duplicateOneof, "another field of the oneof \(oneof) is given too", path: field.name)
      }
      do throws(JSONDecodingError) {
        try self.field(field, member.value, into: base + field.offset)
      } catch {
        throw error.within(field.name)
      }
    }
  }

  private mutating func field(
    _ field: FieldDefinition, _ value: JSONValue, into address: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    if field.mapEntry != nil {
      try map(field, value, into: address)
    } else if field.isRepeated {
      guard case .array(let elements) = value else {
        throw JSONDecodingError(.wrongKind, "an array was expected, not \(value.kind)")
      }
      for (position, element) in elements.enumerated() {
        do throws(JSONDecodingError) {
          try self.element(field, element, into: address)
        } catch {
          throw error.within("[\(position)]")
        }
      }
    } else if isIgnored(field, value) {
      return
    } else if let access = field.access {
      try access.insert(address) { payload throws(JSONDecodingError) in
        try single(field, value, into: payload)
      }
    } else if field.shape == .optional {
      try optional(field, value, into: address)
    } else {
      try scalar(field, value, into: address)
    }
  }

  /// A name of an enum's value that the schema does not have, when such are to be skipped.
  private func isIgnored(_ field: FieldDefinition, _ value: JSONValue) -> Bool {
    guard options.ignoresUnknown, let type = field.enumeration?(), case .string(let name) = value
    else { return false }
    return type.number(of: name) == nil
  }

  private mutating func single(
    _ field: FieldDefinition, _ value: JSONValue, into payload: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    if let below = field.message?() {
      try message(below, value, into: payload)
    } else {
      try scalar(field, value, into: payload)
    }
  }

  private mutating func element(
    _ field: FieldDefinition, _ value: JSONValue, into address: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    if isIgnored(field, value) { return }
    if value.isNull, !field.acceptsNull {
      throw JSONDecodingError(.wrongKind, "null cannot stand in a list or map")
    }
    if let access = field.access {
      try spend(access.stride)
      try access.insert(address) { payload throws(JSONDecodingError) in
        try single(field, value, into: payload)
      }
    } else {
      try listElement(field, value, into: address)
    }
  }

  private mutating func map(
    _ field: FieldDefinition, _ value: JSONValue, into address: UnsafeMutableRawPointer
  ) throws(JSONDecodingError) {
    guard case .object(let object) = value else {
      throw JSONDecodingError(.wrongKind, "an object was expected, not \(value.kind)")
    }
    let keyField = field.mapEntry!.fields[0]
    let valueField = field.mapEntry!.fields[1]
    for member in object.members where !isIgnored(valueField, member.value) {
      do throws(JSONDecodingError) {
        if member.value.isNull, !valueField.acceptsNull {
          throw JSONDecodingError(.wrongKind, "null cannot stand in a list or map")
        }
        try spend(field.access!.stride)
        try field.access!.insert(address) { entry throws(JSONDecodingError) in
          try mapKey(keyField, member.key, into: entry)
          try single(valueField, member.value, into: entry + valueField.offset)
        }
      } catch {
        throw error.within("[\"\(member.key.printable)\"]")
      }
    }
  }
}

extension FieldDefinition {
  /// Whether null is a value of the field's (or element's) type and not its absence.
  fileprivate var acceptsNull: Bool {
    message?().customJSON?.acceptsNull ?? enumeration?().isJSONNull ?? false
  }
}
