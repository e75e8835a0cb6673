public import ProtoCodec

// The parts of google/protobuf/descriptor.proto that describe proto3 schemas. What is left out
// (comments, most options) is kept as unknown fields. It is a proto2 schema: every singular field has
// presence.

/// Several files, as `protoc --descriptor_set_out` writes them.
public struct FileDescriptorSet: Message {
  public var file: [FileDescriptorProto] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.FileDescriptorSet") {
    Field.message(1, "file", \.file)
  }
}

/// A .proto file.
public struct FileDescriptorProto: Message {
  public var name: String?
  public var package: String?
  public var dependency: [String] = []
  public var publicDependency: [Int32] = []
  public var messageType: [DescriptorProto] = []
  public var enumType: [EnumDescriptorProto] = []
  public var service: [ServiceDescriptorProto] = []
  public var syntax: String?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.FileDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.string(2, "package", \.package)
    Field.string(3, "dependency", \.dependency)
    Field.int32(10, "public_dependency", \.publicDependency, packed: false)
    Field.message(4, "message_type", \.messageType)
    Field.message(5, "enum_type", \.enumType)
    Field.message(6, "service", \.service)
    Field.string(12, "syntax", \.syntax)
  }
}

/// A message type.
public struct DescriptorProto: Message {
  public var name: String?
  public var field: [FieldDescriptorProto] = []
  public var nestedType: [DescriptorProto] = []
  public var enumType: [EnumDescriptorProto] = []
  public var options: MessageOptions?
  public var oneofDecl: [OneofDescriptorProto] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.DescriptorProto") {
    Field.string(1, "name", \.name)
    Field.message(2, "field", \.field)
    Field.message(3, "nested_type", \.nestedType)
    Field.message(4, "enum_type", \.enumType)
    Field.message(7, "options", \.options)
    Field.message(8, "oneof_decl", \.oneofDecl)
  }
}

/// A field.
public struct FieldDescriptorProto: Message {
  public var name: String?
  public var number: Int32?
  public var label: FieldLabel?
  public var type: FieldDescriptorType?
  public var typeName: String?
  public var options: FieldOptions?
  public var oneofIndex: Int32?
  public var jsonName: String?
  public var proto3Optional: Bool?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.FieldDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.int32(3, "number", \.number)
    Field.enumeration(4, "label", \.label)
    Field.enumeration(5, "type", \.type)
    Field.string(6, "type_name", \.typeName)
    Field.message(8, "options", \.options)
    Field.int32(9, "oneof_index", \.oneofIndex)
    Field.string(10, "json_name", \.jsonName)
    Field.bool(17, "proto3_optional", \.proto3Optional)
  }
}

/// A oneof.
public struct OneofDescriptorProto: Message {
  public var name: String?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.OneofDescriptorProto") {
    Field.string(1, "name", \.name)
  }
}

/// An enum.
public struct EnumDescriptorProto: Message {
  public var name: String?
  public var value: [EnumValueDescriptorProto] = []
  public var options: EnumOptions?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.EnumDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.message(2, "value", \.value)
    Field.message(3, "options", \.options)
  }
}

/// A value of an enum.
public struct EnumValueDescriptorProto: Message {
  public var name: String?
  public var number: Int32?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.EnumValueDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.int32(2, "number", \.number)
  }
}

/// A service.
public struct ServiceDescriptorProto: Message {
  public var name: String?
  public var method: [MethodDescriptorProto] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.ServiceDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.message(2, "method", \.method)
  }
}

/// A method.
public struct MethodDescriptorProto: Message {
  public var name: String?
  public var inputType: String?
  public var outputType: String?
  public var options: MethodOptions?
  public var clientStreaming: Bool?
  public var serverStreaming: Bool?
  public var unknownFields = UnknownFields()

  public init() {}

  public static let fields = FieldTable<Self>("google.protobuf.MethodDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.string(2, "input_type", \.inputType)
    Field.string(3, "output_type", \.outputType)
    Field.message(4, "options", \.options)
    Field.bool(5, "client_streaming", \.clientStreaming)
    Field.bool(6, "server_streaming", \.serverStreaming)
  }
}
