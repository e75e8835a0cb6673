extension Message {
  /// The canonical JSON form.
  ///
  /// It fails where the protobuf specification says that there is none: a date beyond year 9999, an
  /// `Any` of an unknown type, and the like.
  public func json(
    _ options: JSONEncodingOptions = .default
  ) throws(JSONEncodingError) -> String {
    String(decoding: try jsonUTF8(options), as: UTF8.self)
  }

  /// The canonical JSON form as UTF-8.
  public func jsonUTF8(
    _ options: JSONEncodingOptions = .default
  ) throws(JSONEncodingError) -> [UInt8] {
    var writer = JSONWriter(options: options)
    try writer.message(self)
    return writer.bytes
  }
}

extension JSONWriter {
  /// A message in its JSON form.
  public mutating func message<Root: Message>(_ message: Root) throws(JSONEncodingError) {
    try withUnsafePointer(to: message) { pointer throws(JSONEncodingError) in
      try self.message(Root.fields.layout, UnsafeRawPointer(pointer))
    }
  }

  /// The fields of a message as members of the object that has been begun.
  public mutating func members<Root: Message>(of message: Root) throws(JSONEncodingError) {
    try withUnsafePointer(to: message) { pointer throws(JSONEncodingError) in
      try members(Root.fields.layout, UnsafeRawPointer(pointer))
    }
  }

  /// Messages may contain themselves, and an `Any` hides its depth from the decoder's limit.
  private static let maximumDepth = 200

  mutating func message(
    _ layout: MessageLayout, _ base: UnsafeRawPointer
  ) throws(JSONEncodingError) {
    guard depth < JSONWriter.maximumDepth else {
      throw JSONEncodingError("messages are nested too deeply")
    }
    depth += 1
    defer { depth -= 1 }
    if let custom = layout.customJSON {
      try custom.write(base, &self)
    } else {
      beginObject()
      try members(layout, base)
      endObject()
    }
  }

  private mutating func members(
    _ layout: MessageLayout, _ base: UnsafeRawPointer
  ) throws(JSONEncodingError) {
    let names = layout.namesForJSON()
    for (position, field) in layout.fields.enumerated() {
      let name = options.usesProtoNames ? field.name : names.camelCase[position]
      try member(field, layout, position, name, base + field.offset)
    }
  }

  private mutating func member(
    _ field: FieldDefinition, _ layout: MessageLayout, _ position: Int, _ name: String,
    _ address: UnsafeRawPointer
  ) throws(JSONEncodingError) {
    switch field.shape {
    case .implicit, .optional, .always:
      guard let value = present(field, address) else { return }
      key(name)
      scalar(field, value)
    case .repeated:
      guard listCount(field, address) > 0 || options.writesDefaults else { return }
      key(name)
      beginArray()
      eachElement(field, address) { writer, element in
        writer.element()
        writer.scalar(field, element)
      }
      endArray()
    case .access:
      if field.mapEntry != nil {
        try map(field, name, address)
      } else if field.isRepeated {
        try list(field, name, address)
      } else {
        try field.access!.visit(address) { value throws(JSONEncodingError) in
          key(name)
          try single(field, value)
        }
      }
    }
  }

  /// A message or a scalar.
  private mutating func single(
    _ field: FieldDefinition, _ value: UnsafeRawPointer
  ) throws(JSONEncodingError) {
    if let below = field.message?() {
      try message(below, value)
    } else {
      scalar(field, value)
    }
  }

  private mutating func list(
    _ field: FieldDefinition, _ name: String, _ address: UnsafeRawPointer
  ) throws(JSONEncodingError) {
    var isEmpty = true
    try field.access!.visit(address) { value throws(JSONEncodingError) in
      if isEmpty {
        key(name)
        beginArray()
        isEmpty = false
      }
      element()
      try single(field, value)
    }
    if isEmpty {
      guard options.writesDefaults else { return }
      key(name)
      beginArray()
    }
    endArray()
  }

  /// The entries in the order of their keys, so that the same map always reads the same.
  private mutating func map(
    _ field: FieldDefinition, _ name: String, _ address: UnsafeRawPointer
  ) throws(JSONEncodingError) {
    let entryFields = field.mapEntry!.fields
    var entries: [(key: String, value: [UInt8])] = []
    try field.access!.visit(address) { entry throws(JSONEncodingError) in
      let key = mapKey(entryFields[0], entry)
      let value = try aside { writer throws(JSONEncodingError) in
        try writer.single(entryFields[1], entry + entryFields[1].offset)
      }
      entries.append((key, value))
    }
    guard !entries.isEmpty || options.writesDefaults else { return }
    entries.sort { $0.key < $1.key }
    key(name)
    beginObject()
    for entry in entries {
      key(entry.key)
      bytes.append(contentsOf: entry.value)
    }
    endObject()
  }
}
