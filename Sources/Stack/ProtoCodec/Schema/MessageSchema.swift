/// What a message's declaration says, for descriptors.
public struct MessageSchema: Sendable {
  /// The full name.
  public let name: String
  /// In the order of the declaration.
  public let fields: [FieldSchema]
  /// Whether it is the entry of a map.
  public let isMapEntry: Bool
}

/// What a field's declaration says.
public struct FieldSchema: Sendable {
  public let number: Int
  /// The name in the .proto.
  public let name: String
  public let jsonName: String
  public let type: FieldType
  public let isRepeated: Bool
  /// For lists of numbers, whether they are written packed.
  public let isPacked: Bool
  /// Declared `optional`.
  public let isOptional: Bool
  /// The name of the oneof it is a case of.
  public let oneof: String?
  /// The full name of its message or enum; nil for a map, whose entry is described instead.
  public let typeName: String?
  /// The entry of a map. Its name is that within the message.
  public let mapEntry: MessageSchema?
}

extension Message {
  /// The declaration of the message.
  public static var schema: MessageSchema { fields.layout.schema(isMapEntry: false) }
}

extension MessageLayout {
  fileprivate func schema(isMapEntry: Bool) -> MessageSchema {
    MessageSchema(name: name, fields: fields.map(\.schema), isMapEntry: isMapEntry)
  }
}

extension FieldDefinition {
  fileprivate var schema: FieldSchema {
    FieldSchema(
      number: number, name: name, jsonName: jsonName, type: type, isRepeated: isRepeated,
      isPacked: isPacked, isOptional: isProto3Optional, oneof: oneof,
      typeName: message?().name ?? enumeration?().name,
      mapEntry: mapEntry?.schema(isMapEntry: true))
  }
}
