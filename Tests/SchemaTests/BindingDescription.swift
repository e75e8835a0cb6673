import ProtoCodec

extension SchemaDescription {
  /// What the bindings of a file declare, in the same sentences.
  init(binding file: SchemaFile) {
    self.init()
    insert("package \(file.package), proto3")
    insert("imports \(file.dependencies.map(\.name))")
    for message in file.messages { add(message.schema, name: message.protoName) }
    for type in file.enums { add(type.type) }
    for service in file.services { add(service, in: file.package) }
  }

  private mutating func add(_ message: MessageSchema, name: String) {
    insert("message \(name)\(message.isMapEntry ? ", map entry" : "")")
    for (index, field) in message.fields.enumerated() {
      let type = field.mapEntry.map { "\(name).\($0.name)" } ?? field.typeName
      var facts = ["type \(field.type.rawValue)\(type.map { "." + $0 } ?? "")"]
      facts.append("label \(field.isRepeated ? 3 : 1)")
      facts.append("JSON \(field.jsonName)")
      if field.isPacked { facts.append("packed") }
      if field.isOptional { facts += ["optional", "in oneof _\(field.name)"] }
      if let oneof = field.oneof { facts.append("in oneof \(oneof)") }
      facts.append("place \(index)")
      insert("field \(name).\(field.name) = \(field.number): \(facts.joined(separator: ", "))")
      if let entry = field.mapEntry { add(entry, name: "\(name).\(entry.name)") }
    }
  }

  private mutating func add(_ type: EnumType) {
    insert("enum \(type.name)")
    for (index, value) in type.values.enumerated() {
      insert("value \(type.name).\(value.name) = \(value.number), place \(index)")
    }
  }

  private mutating func add(_ service: SchemaService, in package: String) {
    let name = "\(package).\(service.name)"
    insert("service \(name)")
    for method in service.methods {
      let streams = "streams \(method.isClientStreaming) \(method.isServerStreaming)"
      insert(
        "method \(name).\(method.name): .\(method.input.protoName) -> .\(method.output.protoName), "
          + "\(streams), idempotency \(method.idempotency.rawValue)")
    }
  }
}
