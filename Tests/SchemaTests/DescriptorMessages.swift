import ProtoCodec

// What the comparison reads of google/protobuf/descriptor.proto. Written apart from the code under
// test, so that a slip there is not mirrored here.

struct FileDescriptorSet: Message {
  var file: [FileDescriptorMessage] = []
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("google.protobuf.FileDescriptorSet") {
    Field.message(1, "file", \.file)
  }
}

struct FileDescriptorMessage: Message {
  var name = ""
  var package = ""
  var dependency: [String] = []
  var messageType: [DescriptorMessage] = []
  var enumType: [EnumDescriptorMessage] = []
  var service: [ServiceDescriptorMessage] = []
  var syntax = ""
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("google.protobuf.FileDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.string(2, "package", \.package)
    Field.string(3, "dependency", \.dependency)
    Field.message(4, "message_type", \.messageType)
    Field.message(5, "enum_type", \.enumType)
    Field.message(6, "service", \.service)
    Field.string(12, "syntax", \.syntax)
  }
}

struct DescriptorMessage: Message {
  var name = ""
  var field: [FieldDescriptorMessage] = []
  var nestedType: [DescriptorMessage] = []
  var enumType: [EnumDescriptorMessage] = []
  var options: MessageOptions?
  var oneofDecl: [OneofDescriptorMessage] = []
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("google.protobuf.DescriptorProto") {
    Field.string(1, "name", \.name)
    Field.message(2, "field", \.field)
    Field.message(3, "nested_type", \.nestedType)
    Field.message(4, "enum_type", \.enumType)
    Field.message(7, "options", \.options)
    Field.message(8, "oneof_decl", \.oneofDecl)
  }

  struct MessageOptions: Message {
    var mapEntry = false
    var unknownFields = UnknownFields()

    static let fields = FieldTable<Self>("google.protobuf.MessageOptions") {
      Field.bool(7, "map_entry", \.mapEntry)
    }
  }
}

struct FieldDescriptorMessage: Message {
  var name = ""
  var number: Int32 = 0
  var label: Int32 = 0
  var type: Int32 = 0
  var typeName = ""
  var options: FieldOptions?
  var oneofIndex: Int32?
  var jsonName = ""
  var proto3Optional = false
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("google.protobuf.FieldDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.int32(3, "number", \.number)
    Field.int32(4, "label", \.label)
    Field.int32(5, "type", \.type)
    Field.string(6, "type_name", \.typeName)
    Field.message(8, "options", \.options)
    Field.int32(9, "oneof_index", \.oneofIndex)
    Field.string(10, "json_name", \.jsonName)
    Field.bool(17, "proto3_optional", \.proto3Optional)
  }

  struct FieldOptions: Message {
    var packed: Bool?
    var unknownFields = UnknownFields()

    static let fields = FieldTable<Self>("google.protobuf.FieldOptions") {
      Field.bool(2, "packed", \.packed)
    }
  }
}

struct OneofDescriptorMessage: Message {
  var name = ""
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("google.protobuf.OneofDescriptorProto") {
    Field.string(1, "name", \.name)
  }
}

struct EnumDescriptorMessage: Message {
  var name = ""
  var value: [Value] = []
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("google.protobuf.EnumDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.message(2, "value", \.value)
  }

  struct Value: Message {
    var name = ""
    var number: Int32 = 0
    var unknownFields = UnknownFields()

    static let fields = FieldTable<Self>("google.protobuf.EnumValueDescriptorProto") {
      Field.string(1, "name", \.name)
      Field.int32(2, "number", \.number)
    }
  }
}

struct ServiceDescriptorMessage: Message {
  var name = ""
  var method: [Method] = []
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("google.protobuf.ServiceDescriptorProto") {
    Field.string(1, "name", \.name)
    Field.message(2, "method", \.method)
  }

  struct Method: Message {
    var name = ""
    var inputType = ""
    var outputType = ""
    var options: MethodOptions?
    var clientStreaming = false
    var serverStreaming = false
    var unknownFields = UnknownFields()

    static let fields = FieldTable<Self>("google.protobuf.MethodDescriptorProto") {
      Field.string(1, "name", \.name)
      Field.string(2, "input_type", \.inputType)
      Field.string(3, "output_type", \.outputType)
      Field.message(4, "options", \.options)
      Field.bool(5, "client_streaming", \.clientStreaming)
      Field.bool(6, "server_streaming", \.serverStreaming)
    }
  }

  struct MethodOptions: Message {
    var idempotencyLevel: Int32 = 0
    var unknownFields = UnknownFields()

    static let fields = FieldTable<Self>("google.protobuf.MethodOptions") {
      Field.int32(34, "idempotency_level", \.idempotencyLevel)
    }
  }
}

extension FieldDescriptorMessage {
  /// Whether the numbers of a list stand in one run: in proto3 they do unless the .proto says no.
  var isPacked: Bool {
    let isNumber = ![9, 10, 11, 12].contains(type)
    return label == 3 && isNumber && options?.packed != false
  }
}
