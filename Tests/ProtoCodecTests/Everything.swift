import ProtoCodec

/// The binding of Vectors/everything.proto.
struct Color: ProtoEnum {
  var rawValue: Int32
  init(rawValue: Int32) { self.rawValue = rawValue }
  static let unspecified = Self(rawValue: 0)
  static let red = Self(rawValue: 1)
  static let green = Self(rawValue: 2)
  static let negative = Self(rawValue: -5)
  static let type = EnumType(
    "codec.test.v1.Color",
    [
      (0, "COLOR_UNSPECIFIED"), (1, "COLOR_RED"), (2, "COLOR_GREEN"), (-5, "COLOR_NEGATIVE"),
    ])
}

struct Scalars: Message {
  var doubleValue = 0.0
  var floatValue = Float(0)
  var int32Value = Int32(0)
  var int64Value = Int64(0)
  var uint32Value = UInt32(0)
  var uint64Value = UInt64(0)
  var sint32Value = Int32(0)
  var sint64Value = Int64(0)
  var fixed32Value = UInt32(0)
  var fixed64Value = UInt64(0)
  var sfixed32Value = Int32(0)
  var sfixed64Value = Int64(0)
  var boolValue = false
  var stringValue = ""
  var bytesValue = [UInt8]()
  var colorValue = Color.unspecified
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("codec.test.v1.Scalars") {
    Field.double(1, "double_value", \.doubleValue)
    Field.float(2, "float_value", \.floatValue)
    Field.int32(3, "int32_value", \.int32Value)
    Field.int64(4, "int64_value", \.int64Value)
    Field.uint32(5, "uint32_value", \.uint32Value)
    Field.uint64(6, "uint64_value", \.uint64Value)
    Field.sint32(7, "sint32_value", \.sint32Value)
    Field.sint64(8, "sint64_value", \.sint64Value)
    Field.fixed32(9, "fixed32_value", \.fixed32Value)
    Field.fixed64(10, "fixed64_value", \.fixed64Value)
    Field.sfixed32(11, "sfixed32_value", \.sfixed32Value)
    Field.sfixed64(12, "sfixed64_value", \.sfixed64Value)
    Field.bool(13, "bool_value", \.boolValue)
    Field.string(14, "string_value", \.stringValue)
    Field.bytes(15, "bytes_value", \.bytesValue)
    Field.enumeration(16, "color_value", \.colorValue)
  }
}

struct Optionals: Message {
  var doubleValue: Double?
  var floatValue: Float?
  var int32Value: Int32?
  var int64Value: Int64?
  var uint32Value: UInt32?
  var uint64Value: UInt64?
  var sint32Value: Int32?
  var sint64Value: Int64?
  var fixed32Value: UInt32?
  var fixed64Value: UInt64?
  var sfixed32Value: Int32?
  var sfixed64Value: Int64?
  var boolValue: Bool?
  var stringValue: String?
  var bytesValue: [UInt8]?
  var colorValue: Color?
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("codec.test.v1.Optionals") {
    Field.double(1, "double_value", \.doubleValue)
    Field.float(2, "float_value", \.floatValue)
    Field.int32(3, "int32_value", \.int32Value)
    Field.int64(4, "int64_value", \.int64Value)
    Field.uint32(5, "uint32_value", \.uint32Value)
    Field.uint64(6, "uint64_value", \.uint64Value)
    Field.sint32(7, "sint32_value", \.sint32Value)
    Field.sint64(8, "sint64_value", \.sint64Value)
    Field.fixed32(9, "fixed32_value", \.fixed32Value)
    Field.fixed64(10, "fixed64_value", \.fixed64Value)
    Field.sfixed32(11, "sfixed32_value", \.sfixed32Value)
    Field.sfixed64(12, "sfixed64_value", \.sfixed64Value)
    Field.bool(13, "bool_value", \.boolValue)
    Field.string(14, "string_value", \.stringValue)
    Field.bytes(15, "bytes_value", \.bytesValue)
    Field.enumeration(16, "color_value", \.colorValue)
  }
}

struct Lists: Message {
  var doubleValues: [Double] = []
  var floatValues: [Float] = []
  var int32Values: [Int32] = []
  var int64Values: [Int64] = []
  var uint32Values: [UInt32] = []
  var uint64Values: [UInt64] = []
  var sint32Values: [Int32] = []
  var sint64Values: [Int64] = []
  var fixed32Values: [UInt32] = []
  var fixed64Values: [UInt64] = []
  var sfixed32Values: [Int32] = []
  var sfixed64Values: [Int64] = []
  var boolValues: [Bool] = []
  var stringValues: [String] = []
  var bytesValues: [[UInt8]] = []
  var colorValues: [Color] = []
  var scalarsValues: [Scalars] = []
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("codec.test.v1.Lists") {
    Field.double(1, "double_values", \.doubleValues)
    Field.float(2, "float_values", \.floatValues)
    Field.int32(3, "int32_values", \.int32Values)
    Field.int64(4, "int64_values", \.int64Values)
    Field.uint32(5, "uint32_values", \.uint32Values)
    Field.uint64(6, "uint64_values", \.uint64Values)
    Field.sint32(7, "sint32_values", \.sint32Values)
    Field.sint64(8, "sint64_values", \.sint64Values)
    Field.fixed32(9, "fixed32_values", \.fixed32Values)
    Field.fixed64(10, "fixed64_values", \.fixed64Values)
    Field.sfixed32(11, "sfixed32_values", \.sfixed32Values)
    Field.sfixed64(12, "sfixed64_values", \.sfixed64Values)
    Field.bool(13, "bool_values", \.boolValues)
    Field.string(14, "string_values", \.stringValues)
    Field.bytes(15, "bytes_values", \.bytesValues)
    Field.enumeration(16, "color_values", \.colorValues)
    Field.message(17, "scalars_values", \.scalarsValues)
  }
}

struct Unpacked: Message {
  var doubleValues: [Double] = []
  var floatValues: [Float] = []
  var int32Values: [Int32] = []
  var int64Values: [Int64] = []
  var uint32Values: [UInt32] = []
  var uint64Values: [UInt64] = []
  var sint32Values: [Int32] = []
  var sint64Values: [Int64] = []
  var fixed32Values: [UInt32] = []
  var fixed64Values: [UInt64] = []
  var sfixed32Values: [Int32] = []
  var sfixed64Values: [Int64] = []
  var boolValues: [Bool] = []
  var colorValues: [Color] = []
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("codec.test.v1.Unpacked") {
    Field.double(1, "double_values", \.doubleValues, packed: false)
    Field.float(2, "float_values", \.floatValues, packed: false)
    Field.int32(3, "int32_values", \.int32Values, packed: false)
    Field.int64(4, "int64_values", \.int64Values, packed: false)
    Field.uint32(5, "uint32_values", \.uint32Values, packed: false)
    Field.uint64(6, "uint64_values", \.uint64Values, packed: false)
    Field.sint32(7, "sint32_values", \.sint32Values, packed: false)
    Field.sint64(8, "sint64_values", \.sint64Values, packed: false)
    Field.fixed32(9, "fixed32_values", \.fixed32Values, packed: false)
    Field.fixed64(10, "fixed64_values", \.fixed64Values, packed: false)
    Field.sfixed32(11, "sfixed32_values", \.sfixed32Values, packed: false)
    Field.sfixed64(12, "sfixed64_values", \.sfixed64Values, packed: false)
    Field.bool(13, "bool_values", \.boolValues, packed: false)
    Field.enumeration(16, "color_values", \.colorValues, packed: false)
  }
}

struct Maps: Message {
  var stringString: [String: String] = [:]
  var int32Bytes: [Int32: [UInt8]] = [:]
  var int64Double: [Int64: Double] = [:]
  var uint32Float: [UInt32: Float] = [:]
  var uint64Sint64: [UInt64: Int64] = [:]
  var sint32Fixed32: [Int32: UInt32] = [:]
  var sint64Fixed64: [Int64: UInt64] = [:]
  var fixed32Sfixed32: [UInt32: Int32] = [:]
  var fixed64Sfixed64: [UInt64: Int64] = [:]
  var sfixed32Bool: [Int32: Bool] = [:]
  var sfixed64Uint32: [Int64: UInt32] = [:]
  var boolInt32: [Bool: Int32] = [:]
  var stringColor: [String: Color] = [:]
  var stringNode: [String: Node] = [:]
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("codec.test.v1.Maps") {
    Field.map(1, "string_string", key: .string, value: .string, \.stringString)
    Field.map(2, "int32_bytes", key: .int32, value: .bytes, \.int32Bytes)
    Field.map(3, "int64_double", key: .int64, value: .double, \.int64Double)
    Field.map(4, "uint32_float", key: .uint32, value: .float, \.uint32Float)
    Field.map(5, "uint64_sint64", key: .uint64, value: .sint64, \.uint64Sint64)
    Field.map(6, "sint32_fixed32", key: .sint32, value: .fixed32, \.sint32Fixed32)
    Field.map(7, "sint64_fixed64", key: .sint64, value: .fixed64, \.sint64Fixed64)
    Field.map(8, "fixed32_sfixed32", key: .fixed32, value: .sfixed32, \.fixed32Sfixed32)
    Field.map(9, "fixed64_sfixed64", key: .fixed64, value: .sfixed64, \.fixed64Sfixed64)
    Field.map(10, "sfixed32_bool", key: .sfixed32, value: .bool, \.sfixed32Bool)
    Field.map(11, "sfixed64_uint32", key: .sfixed64, value: .uint32, \.sfixed64Uint32)
    Field.map(12, "bool_int32", key: .bool, value: .int32, \.boolInt32)
    Field.map(13, "string_color", key: .string, value: .enumeration, \.stringColor)
    Field.map(14, "string_node", key: .string, value: .message, \.stringNode)
  }
}

struct Choices: Message {
  indirect enum Choice: Sendable, Equatable {
    case doubleValue(Double)
    case floatValue(Float)
    case int32Value(Int32)
    case int64Value(Int64)
    case uint32Value(UInt32)
    case uint64Value(UInt64)
    case sint32Value(Int32)
    case sint64Value(Int64)
    case fixed32Value(UInt32)
    case fixed64Value(UInt64)
    case sfixed32Value(Int32)
    case sfixed64Value(Int64)
    case boolValue(Bool)
    case stringValue(String)
    case bytesValue([UInt8])
    case colorValue(Color)
    case nodeValue(Node)
    case choicesValue(Choices)
  }

  var before = ""
  var choice: Choice?
  var between = ""
  var after = ""
  var farAfter = ""
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("codec.test.v1.Choices") {
    Field.string(1, "before", \.before)
    Field.oneof("choice", \.choice) {
      OneofCase.double(2, "double_value", Choice.doubleValue) {
        if case .doubleValue(let value) = $0 { value } else { nil }
      }
      OneofCase.float(3, "float_value", Choice.floatValue) {
        if case .floatValue(let value) = $0 { value } else { nil }
      }
      OneofCase.int32(4, "int32_value", Choice.int32Value) {
        if case .int32Value(let value) = $0 { value } else { nil }
      }
      OneofCase.int64(5, "int64_value", Choice.int64Value) {
        if case .int64Value(let value) = $0 { value } else { nil }
      }
      OneofCase.uint32(6, "uint32_value", Choice.uint32Value) {
        if case .uint32Value(let value) = $0 { value } else { nil }
      }
      OneofCase.uint64(7, "uint64_value", Choice.uint64Value) {
        if case .uint64Value(let value) = $0 { value } else { nil }
      }
      OneofCase.sint32(8, "sint32_value", Choice.sint32Value) {
        if case .sint32Value(let value) = $0 { value } else { nil }
      }
      OneofCase.sint64(9, "sint64_value", Choice.sint64Value) {
        if case .sint64Value(let value) = $0 { value } else { nil }
      }
      OneofCase.fixed32(10, "fixed32_value", Choice.fixed32Value) {
        if case .fixed32Value(let value) = $0 { value } else { nil }
      }
      OneofCase.fixed64(11, "fixed64_value", Choice.fixed64Value) {
        if case .fixed64Value(let value) = $0 { value } else { nil }
      }
      OneofCase.sfixed32(12, "sfixed32_value", Choice.sfixed32Value) {
        if case .sfixed32Value(let value) = $0 { value } else { nil }
      }
      OneofCase.sfixed64(13, "sfixed64_value", Choice.sfixed64Value) {
        if case .sfixed64Value(let value) = $0 { value } else { nil }
      }
      OneofCase.bool(14, "bool_value", Choice.boolValue) {
        if case .boolValue(let value) = $0 { value } else { nil }
      }
      OneofCase.string(15, "string_value", Choice.stringValue) {
        if case .stringValue(let value) = $0 { value } else { nil }
      }
      OneofCase.bytes(17, "bytes_value", Choice.bytesValue) {
        if case .bytesValue(let value) = $0 { value } else { nil }
      }
      OneofCase.enumeration(18, "color_value", Choice.colorValue) {
        if case .colorValue(let value) = $0 { value } else { nil }
      }
      OneofCase.message(19, "node_value", Choice.nodeValue) {
        if case .nodeValue(let value) = $0 { value } else { nil }
      }
      OneofCase.message(20, "choices_value", Choice.choicesValue) {
        if case .choicesValue(let value) = $0 { value } else { nil }
      }
    }
    Field.string(16, "between", \.between)
    Field.string(5000, "after", \.after)
    Field.string(536_870_911, "far_after", \.farAfter)
  }
}

struct Node: Message {
  var name = ""
  @Indirect var child: Node?
  var children: [Node] = []
  var byName: [String: Node] = [:]
  var scalars: Scalars?
  var numbers: [Int32] = []
  var customJSON: Int32 = 0
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("codec.test.v1.Node") {
    Field.string(1, "name", \.name)
    Field.message(2, "child", \._child)
    Field.message(3, "children", \.children)
    Field.map(4, "by_name", key: .string, value: .message, \.byName)
    Field.message(5, "scalars", \.scalars)
    Field.int32(6, "numbers", \.numbers)
    Field.int32(7, "custom_json", \.customJSON, json: "@custom")
  }
}

struct OldNode: Message {
  var name = ""
  var unknownFields = UnknownFields()

  static let fields = FieldTable<Self>("codec.test.v1.OldNode") {
    Field.string(1, "name", \.name)
  }
}
