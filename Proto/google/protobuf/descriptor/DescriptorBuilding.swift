public import ProtoCodec

extension SchemaFile {
  /// What `protoc` would say of the .proto, made from the bindings: for server reflection.
  public var descriptor: FileDescriptorProto {
    var file = FileDescriptorProto()
    file.name = name
    file.package = package
    file.dependency = dependencies.map(\.name)
    file.syntax = "proto3"
    var top = DescriptorProto()
    for type in messages { top.add(descriptor(of: type.schema), at: path(of: type.protoName)) }
    for type in enums { top.add(descriptor(of: type.type), at: path(of: type.type.name)) }
    file.messageType = top.nestedType
    file.enumType = top.enumType
    file.service = services.map { descriptor(of: $0) }
    return file
  }

  /// The name within the package, split at its dots.
  private func path(of fullName: String) -> ArraySlice<String> {
    precondition(fullName.hasPrefix(package + "."), "\(fullName) is not of package \(package)")
    return fullName.dropFirst(package.count + 1).split(separator: ".").map(String.init)[...]
  }

  private func descriptor(of schema: MessageSchema) -> DescriptorProto {
    var message = DescriptorProto()
    message.name = schema.name.split(separator: ".").last.map(String.init)
    if schema.isMapEntry {
      message.options = MessageOptions()
      message.options?.mapEntry = true
    }
    // The oneofs that the .proto has come first, then those that stand for `optional` fields.
    var oneofs: [String] = []
    for case let oneof? in schema.fields.map(\.oneof) where !oneofs.contains(oneof) {
      oneofs.append(oneof)
    }
    oneofs += schema.fields.filter(\.isOptional).map { "_" + $0.name }
    for name in oneofs {
      var oneof = OneofDescriptorProto()
      oneof.name = name
      message.oneofDecl.append(oneof)
    }
    for field in schema.fields {
      var described = FieldDescriptorProto(field, within: schema.name)
      if let name = field.isOptional ? "_" + field.name : field.oneof {
        described.oneofIndex = oneofs.firstIndex(of: name).map(Int32.init)
      }
      message.field.append(described)
      if let entry = field.mapEntry { message.nestedType.append(descriptor(of: entry)) }
    }
    return message
  }

  private func descriptor(of type: EnumType) -> EnumDescriptorProto {
    var described = EnumDescriptorProto()
    described.name = type.name.split(separator: ".").last.map(String.init)
    described.value = type.values.map { value in
      var described = EnumValueDescriptorProto()
      described.name = value.name
      described.number = value.number
      return described
    }
    if type.hasAliases {
      described.options = EnumOptions()
      described.options?.allowAlias = true
    }
    return described
  }

  private func descriptor(of service: SchemaService) -> ServiceDescriptorProto {
    var described = ServiceDescriptorProto()
    described.name = service.name
    described.method = service.methods.map { method in
      var described = MethodDescriptorProto()
      described.name = method.name
      described.inputType = "." + method.input.protoName
      described.outputType = "." + method.output.protoName
      if method.isClientStreaming { described.clientStreaming = true }
      if method.isServerStreaming { described.serverStreaming = true }
      if method.idempotency != .unknown {
        described.options = MethodOptions()
        described.options?.idempotencyLevel = MethodIdempotency(
          rawValue: method.idempotency.rawValue)
      }
      return described
    }
    return described
  }
}

extension DescriptorProto {
  /// Puts a message under the one that it is nested in, which was added before.
  fileprivate mutating func add(_ message: DescriptorProto, at path: ArraySlice<String>) {
    guard path.count > 1 else { return nestedType.append(message) }
    nestedType[indexOfNested(path)].add(message, at: path.dropFirst())
  }

  fileprivate mutating func add(_ type: EnumDescriptorProto, at path: ArraySlice<String>) {
    guard path.count > 1 else { return enumType.append(type) }
    nestedType[indexOfNested(path)].add(type, at: path.dropFirst())
  }

  private func indexOfNested(_ path: ArraySlice<String>) -> Int {
    guard let index = nestedType.firstIndex(where: { $0.name == path.first }) else {
      preconditionFailure("\(path.joined(separator: ".")) is registered before its parent")
    }
    return index
  }
}

extension FieldDescriptorProto {
  fileprivate init(_ field: FieldSchema, within message: String) {
    self.init()
    name = field.name
    number = Int32(field.number)
    label = field.isRepeated ? .repeated : .optional
    type = FieldDescriptorType(rawValue: Int32(field.type.rawValue))
    typeName = (field.mapEntry.map { message + "." + $0.name } ?? field.typeName).map { "." + $0 }
    jsonName = field.jsonName
    if field.isOptional { proto3Optional = true }
    if field.isRepeated, field.type.isPackable, !field.isPacked {
      options = FieldOptions()
      options?.packed = false
    }
  }
}
