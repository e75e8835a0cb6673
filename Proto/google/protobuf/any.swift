public import ProtoCodec

/// A message of any type with the name of its type (google/protobuf/any.proto).
public struct AnyMessage: Message {
  /// Ends in a slash and the full name of the type, such as
  /// `type.googleapis.com/google.rpc.BadRequest`.
  public var typeURL = ""
  /// The message in the binary format.
  public var value: [UInt8] = []
  public var unknownFields = UnknownFields()

  public init() {}

  /// Packs a message under the usual prefix.
  public init<Packed: Message>(_ message: Packed) {
    typeURL = "type.googleapis.com/" + Packed.protoName
    value = message.serialized()
  }

  /// Unpacks a message; nil when another type is packed.
  public func unpack<Packed: Message>(
    _ type: Packed.Type = Packed.self, limits: DecodingLimits = .default
  ) throws(DecodingError) -> Packed? {
    guard let slash = typeURL.lastIndex(of: "/"),
      typeURL[typeURL.index(after: slash)...] == Packed.protoName
    else { return nil }
    return try Packed(serialized: value, limits: limits)
  }

  public static let fields = FieldTable<Self>("google.protobuf.Any") {
    Field.string(1, "type_url", \.typeURL)
    Field.bytes(2, "value", \.value)
  }
}

extension SchemaFile {
  public static let any = SchemaFile(
    "google/protobuf/any.proto", package: "google.protobuf", messages: [AnyMessage.self])
}
