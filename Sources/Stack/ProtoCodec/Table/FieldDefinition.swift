/// Everything that a field's declaration says.
@usableFromInline struct FieldDefinition: Sendable {
  @usableFromInline var number: Int
  @usableFromInline var name: String
  @usableFromInline var type: FieldType
  @usableFromInline var shape: FieldShape
  @usableFromInline var offset: Int
  @usableFromInline var isRepeated = false
  @usableFromInline var isPacked = false
  /// An `optional` scalar, which the descriptor shows as a oneof of its own.
  @usableFromInline var isProto3Optional = false
  @usableFromInline var access: FieldAccess?
  /// Asked when the layout is linked, not when it is made: messages may contain themselves.
  @usableFromInline var message: (@Sendable () -> MessageLayout)?
  @usableFromInline var enumeration: (@Sendable () -> EnumType)?
  /// Key and value of a map.
  @usableFromInline var mapEntry: MessageLayout?
  /// The oneof's name, for its cases.
  @usableFromInline var oneof: String?
  /// The JSON name when the schema sets one.
  @usableFromInline var customJSONName: String?

  @usableFromInline init(
    number: Int, name: String, type: FieldType, shape: FieldShape, offset: Int
  ) {
    precondition(
      (1...0x1FFF_FFFF).contains(number) && !(19_000...19_999).contains(number),
      "field number \(number) of \(name) is out of range or reserved")
    self.number = number
    self.name = name
    self.type = type
    self.shape = shape
    self.offset = offset
  }

  /// The name of a map's entry type: `labels` has `LabelsEntry`.
  @usableFromInline var mapEntryName: String {
    let camel = FieldDefinition.lowerCamelCase(name)
    return camel.prefix(1).uppercased() + camel.dropFirst() + "Entry"
  }

  /// The name in JSON: what the schema says, or lowerCamelCase by protoc's rule.
  var jsonName: String {
    customJSONName ?? FieldDefinition.lowerCamelCase(name)
  }

  private static func lowerCamelCase(_ name: String) -> String {
    var result = ""
    var raise = false
    for character in name.unicodeScalars {
      if character == "_" {
        raise = true
      } else if raise, ("a"..."z").contains(character) {
        result.unicodeScalars.append(Unicode.Scalar(character.value - 32)!)
        raise = false
      } else {
        result.unicodeScalars.append(character)
        raise = false
      }
    }
    return result
  }
}
