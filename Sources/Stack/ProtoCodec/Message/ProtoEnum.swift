/// A protobuf enum. Open: a number that this schema has no name for is kept as it is.
///
/// ```swift
/// public struct RotationPhase: ProtoEnum {
///   public var rawValue: Int32
///   public init(rawValue: Int32) { self.rawValue = rawValue }
///   public static let unspecified = Self(rawValue: 0)
///   public static let preRotate = Self(rawValue: 1)
///   public static let type = EnumType(
///     "omni.management.v1.RotationPhase",
///     [(0, "ROTATION_PHASE_UNSPECIFIED"), (1, "ROTATION_PHASE_PRE_ROTATE")])
/// }
/// ```
///
/// The struct must have `rawValue` as its only stored property.
public protocol ProtoEnum: RawRepresentable, Hashable, Sendable, CustomStringConvertible
where RawValue == Int32 {
  init(rawValue: Int32)
  /// The names and numbers. Conformers write it as a `static let`.
  static var type: EnumType { get }
}

extension ProtoEnum {
  /// The value with number 0, which proto3 makes the default.
  @inlinable public init() { self.init(rawValue: 0) }

  /// The value with this name in the schema, such as `ROTATION_PHASE_PRE_ROTATE`.
  public init?(protoName: String) {
    guard let number = Self.type.number(of: protoName) else { return nil }
    self.init(rawValue: number)
  }

  /// The name in the schema; nil for a number that the schema does not know.
  public var protoName: String? { Self.type.name(of: rawValue) }

  /// The name in the schema, or the number.
  public var description: String { protoName ?? String(rawValue) }
}

/// Name, numbers and value names of an enum.
public final class EnumType: Sendable {
  /// The full protobuf name.
  public let name: String
  /// The values in the order of the .proto. With aliases, the first name of a number is the one
  /// that is written.
  public let values: [(number: Int32, name: String)]

  private let names: [Int32: String]
  private let numbers: [String: Int32]

  public init(_ name: String, _ values: [(Int32, String)]) {
    self.name = name
    self.values = values.map { (number: $0.0, name: $0.1) }
    names = Dictionary(values, uniquingKeysWith: { first, _ in first })
    numbers = Dictionary(values.map { ($0.1, $0.0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The (first) name of a number.
  public func name(of number: Int32) -> String? { names[number] }

  /// The number of a name, aliases included.
  public func number(of name: String) -> Int32? { numbers[name] }

  /// Whether two names share a number, which the schema must allow with `allow_alias`.
  public var hasAliases: Bool { names.count < values.count }
}
