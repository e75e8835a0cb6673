public import ProtoCodec

// A scalar as a message of its own, so that it can be absent (google/protobuf/wrappers.proto).

/// A `double` that may be absent.
public struct DoubleValue: Message {
  public var value: Double = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ value: Double) { self.value = value }

  public static let fields = FieldTable<Self>("google.protobuf.DoubleValue") {
    Field.double(1, "value", \.value)
  }
}

/// A `float` that may be absent.
public struct FloatValue: Message {
  public var value: Float = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ value: Float) { self.value = value }

  public static let fields = FieldTable<Self>("google.protobuf.FloatValue") {
    Field.float(1, "value", \.value)
  }
}

/// A `int64` that may be absent.
public struct Int64Value: Message {
  public var value: Int64 = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ value: Int64) { self.value = value }

  public static let fields = FieldTable<Self>("google.protobuf.Int64Value") {
    Field.int64(1, "value", \.value)
  }
}

/// A `uint64` that may be absent.
public struct UInt64Value: Message {
  public var value: UInt64 = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ value: UInt64) { self.value = value }

  public static let fields = FieldTable<Self>("google.protobuf.UInt64Value") {
    Field.uint64(1, "value", \.value)
  }
}

/// A `int32` that may be absent.
public struct Int32Value: Message {
  public var value: Int32 = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ value: Int32) { self.value = value }

  public static let fields = FieldTable<Self>("google.protobuf.Int32Value") {
    Field.int32(1, "value", \.value)
  }
}

/// A `uint32` that may be absent.
public struct UInt32Value: Message {
  public var value: UInt32 = 0
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ value: UInt32) { self.value = value }

  public static let fields = FieldTable<Self>("google.protobuf.UInt32Value") {
    Field.uint32(1, "value", \.value)
  }
}

/// A `bool` that may be absent.
public struct BoolValue: Message {
  public var value = false
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ value: Bool) { self.value = value }

  public static let fields = FieldTable<Self>("google.protobuf.BoolValue") {
    Field.bool(1, "value", \.value)
  }
}

/// A `string` that may be absent.
public struct StringValue: Message {
  public var value = ""
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ value: String) { self.value = value }

  public static let fields = FieldTable<Self>("google.protobuf.StringValue") {
    Field.string(1, "value", \.value)
  }
}

/// A `bytes` that may be absent.
public struct BytesValue: Message {
  public var value: [UInt8] = []
  public var unknownFields = UnknownFields()

  public init() {}

  public init(_ value: [UInt8]) { self.value = value }

  public static let fields = FieldTable<Self>("google.protobuf.BytesValue") {
    Field.bytes(1, "value", \.value)
  }
}

extension SchemaFile {
  public static let wrappers = SchemaFile(
    "google/protobuf/wrappers.proto", package: "google.protobuf",
    messages: [
      DoubleValue.self, FloatValue.self, Int64Value.self, UInt64Value.self, Int32Value.self,
      UInt32Value.self, BoolValue.self, StringValue.self, BytesValue.self,
    ])
}
