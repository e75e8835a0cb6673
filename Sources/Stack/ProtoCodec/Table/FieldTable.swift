/// The fields of a message, declared once.
///
/// ```swift
/// public static let fields = FieldTable<Self>("omni.management.v1.RotationPlan") {
///   Field.string(1, "cluster", \.cluster)
///   Field.message(2, "machines", \.machines)
/// }
/// ```
public struct FieldTable<Root: Message>: Sendable {
  @usableFromInline let layout: MessageLayout

  /// - Parameters:
  ///   - name: the full protobuf name, package first.
  ///   - fields: every field of the .proto. A number given twice is a programming error and stops
  ///     the program at the first use of the message.
  @inlinable public init(
    _ name: String, @FieldTableBuilder<Root> _ fields: () -> [Field<Root>] = { [] }
  ) {
    layout = MessageLayout(
      name: name, fields: fields().flatMap(\.definitions),
      unknownOffset: unknownFieldsOffset(in: Root.self), customJSON: CustomJSON(Root.self))
  }
}

/// Where `unknownFields` stands in a message. A key path made from a protocol's requirement has no
/// offset, so the property is asked for its address.
@inlinable func unknownFieldsOffset<Root: Message>(in type: Root.Type) -> Int {
  var message = Root()
  let offset = withUnsafeMutablePointer(to: &message) { start in
    withUnsafeMutablePointer(to: &start.pointee.unknownFields) { property in
      UnsafeRawPointer(property) - UnsafeRawPointer(start)
    }
  }
  // A computed property would have given the address of a temporary.
  precondition(
    offset >= 0 && offset + MemoryLayout<UnknownFields>.size <= MemoryLayout<Root>.size,
    "unknownFields of \(type) must be a stored property")
  return offset
}

/// Collects the fields of a `FieldTable`.
@resultBuilder public enum FieldTableBuilder<Root: Message> {
  @inlinable public static func buildExpression(_ field: Field<Root>) -> [Field<Root>] { [field] }
  /// Several fields that were collected elsewhere, for messages with very many.
  @inlinable public static func buildExpression(_ fields: [Field<Root>]) -> [Field<Root>] { fields }
  @inlinable public static func buildPartialBlock(first: [Field<Root>]) -> [Field<Root>] { first }
  @inlinable public static func buildPartialBlock(
    accumulated: [Field<Root>], next: [Field<Root>]
  ) -> [Field<Root>] { accumulated + next }
  @inlinable public static func buildBlock() -> [Field<Root>] { [] }
}
