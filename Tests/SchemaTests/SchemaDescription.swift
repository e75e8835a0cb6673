import ProtoCodec

/// What a descriptor says, as a list of sentences, one for each thing it declares. Two schemas are the same when
/// their sentences are; where they are not, the sentences say what is.
struct SchemaDescription {
  private(set) var sentences: Set<String> = []

  init(_ file: FileDescriptorMessage) {
    sentences.insert("package \(file.package), \(file.syntax.isEmpty ? "proto2" : file.syntax)")
    sentences.insert("imports \(file.dependency)")
    let scope = file.package.isEmpty ? "" : "\(file.package)."
    for message in file.messageType { add(message, in: scope) }
    for type in file.enumType { add(type, in: scope) }
    for service in file.service { add(service, in: scope) }
  }

  private mutating func add(_ message: DescriptorMessage, in scope: String) {
    let name = scope + message.name
    sentences.insert("message \(name)\(message.options?.mapEntry == true ? ", map entry" : "")")
    for (index, field) in message.field.enumerated() {
      var facts = ["type \(field.type)\(field.typeName)", "label \(field.label)"]
      facts.append("JSON \(field.jsonName)")
      if field.isPacked { facts.append("packed") }
      if field.proto3Optional { facts.append("optional") }
      if let oneof = field.oneofIndex, message.oneofDecl.indices.contains(Int(oneof)) {
        facts.append("in oneof \(message.oneofDecl[Int(oneof)].name)")
      }
      facts.append("place \(index)")
      sentences.insert(
        "field \(name).\(field.name) = \(field.number): \(facts.joined(separator: ", "))")
    }
    for nested in message.nestedType { add(nested, in: name + ".") }
    for type in message.enumType { add(type, in: name + ".") }
  }

  private mutating func add(_ type: EnumDescriptorMessage, in scope: String) {
    let name = scope + type.name
    sentences.insert("enum \(name)")
    for (index, value) in type.value.enumerated() {
      sentences.insert("value \(name).\(value.name) = \(value.number), place \(index)")
    }
  }

  private mutating func add(_ service: ServiceDescriptorMessage, in scope: String) {
    let name = scope + service.name
    sentences.insert("service \(name)")
    for method in service.method {
      let streams = "streams \(method.clientStreaming) \(method.serverStreaming)"
      let idempotency = "idempotency \(method.options?.idempotencyLevel ?? 0)"
      sentences.insert(
        "method \(name).\(method.name): \(method.inputType) -> \(method.outputType), "
          + "\(streams), \(idempotency)")
    }
  }
}
