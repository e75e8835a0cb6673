/// The protobuf type of a field, with the numbers of `FieldDescriptorProto.Type`.
public enum FieldType: UInt8, Sendable, Hashable {
  case double = 1
  case float = 2
  case int64 = 3
  case uint64 = 4
  case int32 = 5
  case fixed64 = 6
  case fixed32 = 7
  case bool = 8
  case string = 9
  case message = 11
  case bytes = 12
  case uint32 = 13
  case enumeration = 14
  case sfixed32 = 15
  case sfixed64 = 16
  case sint32 = 17
  case sint64 = 18

  /// Whether a list of it may stand as one packed run.
  public var isPackable: Bool {
    switch self {
    case .string, .message, .bytes: false
    default: true
    }
  }

  var wireType: WireType {
    switch self {
    case .double, .fixed64, .sfixed64: .fixed64
    case .float, .fixed32, .sfixed32: .fixed32
    case .string, .message, .bytes: .lengthDelimited
    default: .varint
    }
  }

  /// How its value stands in memory and on the wire.
  var coding: ScalarCoding {
    switch self {
    case .int64, .uint64: .varint64
    case .int32, .enumeration: .int32
    case .uint32: .uint32
    case .sint32: .sint32
    case .sint64: .sint64
    case .fixed32, .sfixed32, .float: .fixed32
    case .fixed64, .sfixed64, .double: .fixed64
    case .bool: .bool
    case .string: .string
    case .bytes: .bytes
    case .message: .message
    }
  }
}

/// The last three bits of a tag.
enum WireType: UInt32 {
  case varint = 0
  case fixed64 = 1
  case lengthDelimited = 2
  case startGroup = 3
  case endGroup = 4
  case fixed32 = 5
}

/// What field types share once they are bits: a float is written as a fixed32, an enum as an int32.
enum ScalarCoding: UInt8 {
  case varint64, int32, uint32, sint32, sint64, fixed32, fixed64, bool, string, bytes, message
}

/// When a field is written, and what holds it.
@usableFromInline enum FieldShape: UInt8, Sendable {
  /// A plain value, written unless it is the type's default (proto3's implicit presence).
  case implicit
  /// A plain value that is always written: keys and values of maps, cases of oneofs.
  case always
  /// An `Optional`, written when set.
  case optional
  /// An `Array`.
  case repeated
  /// Anything else, reached through a `FieldAccess`.
  case access
}

/// `FieldShape` and `ScalarCoding` in one number, so that a field costs one jump.
enum RowCode: UInt8 {
  case varint64, int32, uint32, sint32, sint64, fixed32, fixed64, bool, string, bytes
  case alwaysVarint64, alwaysInt32, alwaysUInt32, alwaysSInt32, alwaysSInt64, alwaysFixed32
  case alwaysFixed64, alwaysBool, alwaysString, alwaysBytes, alwaysMessage
  case optionalVarint64, optionalInt32, optionalUInt32, optionalSInt32, optionalSInt64
  case optionalFixed32, optionalFixed64, optionalBool, optionalString, optionalBytes
  /// An array; its element type stands in the row.
  case list
  case access

  init(_ shape: FieldShape, _ coding: ScalarCoding) {
    let first: RowCode
    switch shape {
    case .implicit: first = .varint64
    case .always: first = .alwaysVarint64
    case .optional: first = .optionalVarint64
    case .repeated:
      self = .list
      return
    case .access:
      self = .access
      return
    }
    precondition(coding != .message || shape == .always, "messages are reached by access")
    self = RowCode(rawValue: first.rawValue + coding.rawValue)!
  }
}
