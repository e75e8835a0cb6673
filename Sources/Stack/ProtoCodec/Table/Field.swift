/// The declaration of a field (or of a oneof with its cases) in a `FieldTable`.
///
/// Every function takes the field's number, its name in the .proto and the key path of the stored
/// property. How the property is typed says the rest:
///
/// | property | in the .proto |
/// | --- | --- |
/// | `T` | `T name = n;` (written unless it is the default) |
/// | `T?` | `optional T name = n;`, for messages plain `T name = n;` |
/// | `[T]` | `repeated T name = n;` |
///
/// `json` is given when the .proto sets `json_name`; `packed: false` for `[packed = false]`.
public struct Field<Root: Message>: Sendable {
  @usableFromInline let definitions: [FieldDefinition]

  @usableFromInline init(_ definition: FieldDefinition) { definitions = [definition] }
  @usableFromInline init(_ definitions: [FieldDefinition]) { self.definitions = definitions }
}

/// A property type that holds a field of a number, bool or string type: the type itself, its
/// `Optional` or its `Array`.
public protocol FieldStorage {
  associatedtype FieldElement
  static var fieldShape: FieldStorageShape { get }
}

/// Which of the three it is.
public enum FieldStorageShape: Sendable {
  case single, optional, list
}

/// The Swift types of protobuf's number, bool and string types.
public protocol FieldScalar: FieldStorage, Hashable, Sendable where FieldElement == Self {}

extension FieldScalar {
  public static var fieldShape: FieldStorageShape { .single }
}

extension Double: FieldScalar { public typealias FieldElement = Double }
extension Float: FieldScalar { public typealias FieldElement = Float }
extension Int32: FieldScalar { public typealias FieldElement = Int32 }
extension Int64: FieldScalar { public typealias FieldElement = Int64 }
extension UInt32: FieldScalar { public typealias FieldElement = UInt32 }
extension UInt64: FieldScalar { public typealias FieldElement = UInt64 }
extension Bool: FieldScalar { public typealias FieldElement = Bool }
extension String: FieldScalar { public typealias FieldElement = String }

extension Optional: FieldStorage where Wrapped: FieldScalar {
  public typealias FieldElement = Wrapped
  public static var fieldShape: FieldStorageShape { .optional }
}

extension Array: FieldStorage where Element: FieldScalar {
  public typealias FieldElement = Element
  public static var fieldShape: FieldStorageShape { .list }
}

extension Field {
  public static func double<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == Double {
    scalar(.double, number, name, path, S.fieldShape, packed, json)
  }

  public static func float<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == Float {
    scalar(.float, number, name, path, S.fieldShape, packed, json)
  }

  public static func int32<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == Int32 {
    scalar(.int32, number, name, path, S.fieldShape, packed, json)
  }

  public static func int64<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == Int64 {
    scalar(.int64, number, name, path, S.fieldShape, packed, json)
  }

  public static func uint32<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == UInt32 {
    scalar(.uint32, number, name, path, S.fieldShape, packed, json)
  }

  public static func uint64<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == UInt64 {
    scalar(.uint64, number, name, path, S.fieldShape, packed, json)
  }

  public static func sint32<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == Int32 {
    scalar(.sint32, number, name, path, S.fieldShape, packed, json)
  }

  public static func sint64<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == Int64 {
    scalar(.sint64, number, name, path, S.fieldShape, packed, json)
  }

  public static func fixed32<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == UInt32 {
    scalar(.fixed32, number, name, path, S.fieldShape, packed, json)
  }

  public static func fixed64<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == UInt64 {
    scalar(.fixed64, number, name, path, S.fieldShape, packed, json)
  }

  public static func sfixed32<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == Int32 {
    scalar(.sfixed32, number, name, path, S.fieldShape, packed, json)
  }

  public static func sfixed64<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == Int64 {
    scalar(.sfixed64, number, name, path, S.fieldShape, packed, json)
  }

  public static func bool<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, packed: Bool = true,
    json: String? = nil
  ) -> Self where S.FieldElement == Bool {
    scalar(.bool, number, name, path, S.fieldShape, packed, json)
  }

  public static func string<S: FieldStorage>(
    _ number: Int, _ name: String, _ path: KeyPath<Root, S>, json: String? = nil
  ) -> Self where S.FieldElement == String {
    scalar(.string, number, name, path, S.fieldShape, false, json)
  }

  public static func bytes(
    _ number: Int, _ name: String, _ path: KeyPath<Root, [UInt8]>, json: String? = nil
  ) -> Self {
    scalar(.bytes, number, name, path, .single, false, json)
  }

  public static func bytes(
    _ number: Int, _ name: String, _ path: KeyPath<Root, [UInt8]?>, json: String? = nil
  ) -> Self {
    scalar(.bytes, number, name, path, .optional, false, json)
  }

  public static func bytes(
    _ number: Int, _ name: String, _ path: KeyPath<Root, [[UInt8]]>, json: String? = nil
  ) -> Self {
    scalar(.bytes, number, name, path, .list, false, json)
  }

  @usableFromInline static func scalar<S>(
    _ type: FieldType, _ number: Int, _ name: String, _ path: KeyPath<Root, S>,
    _ storage: FieldStorageShape, _ packed: Bool, _ json: String?
  ) -> Self {
    let shape: FieldShape =
      switch storage {
      case .single: .implicit
      case .optional: .optional
      case .list: .repeated
      }
    var definition = FieldDefinition(
      number: number, name: name, type: type, shape: shape, offset: offset(of: path, name))
    definition.isRepeated = storage == .list
    definition.isPacked = storage == .list && packed
    definition.isProto3Optional = storage == .optional
    definition.customJSONName = json
    return Field(definition)
  }

  /// Bytes from the start of the message to a stored property.
  @usableFromInline static func offset<S>(of path: KeyPath<Root, S>, _ name: String) -> Int {
    guard let offset = MemoryLayout<Root>.offset(of: path) else {
      preconditionFailure("field \(name) of \(Root.self) is not a stored property")
    }
    return offset
  }
}
