/// A protobuf message: a plain value whose fields are declared once, in `fields`.
///
/// That one declaration drives the binary format, the JSON format and the descriptor that server
/// reflection serves. How a conformance is written stands in Proto/README.md.
public protocol Message: Sendable, Equatable {
  /// The message with every field unset.
  init()

  /// The declaration of the fields. Conformers write it as a `static let`.
  static var fields: FieldTable<Self> { get }

  /// Fields that arrived and that this schema does not know; they are written back as they came.
  /// Conformers write it as a stored property.
  var unknownFields: UnknownFields { get set }
}

extension Message {
  /// The full protobuf name, such as `omni.management.v1.RotationStatus`.
  public static var protoName: String { fields.layout.name }

  /// Decodes the binary format. Fields that are absent keep their defaults.
  public init(
    serialized bytes: [UInt8], limits: DecodingLimits = .default
  ) throws(DecodingError) {
    self.init()
    try merge(serialized: bytes, limits: limits)
  }

  /// Decodes the binary format straight from a receive buffer. Nothing points into `bytes`
  /// afterwards.
  public init(
    serialized bytes: UnsafeRawBufferPointer, limits: DecodingLimits = .default
  ) throws(DecodingError) {
    self.init()
    try merge(serialized: bytes, limits: limits)
  }

  /// Decodes on top of what is there: scalars are replaced, lists appended to, messages merged. When
  /// it throws, `self` holds what came before the fault.
  public mutating func merge(
    serialized bytes: [UInt8], limits: DecodingLimits = .default
  ) throws(DecodingError) {
    try bytes.withUnsafeBufferPointer { buffer throws(DecodingError) in
      try merge(serialized: UnsafeRawBufferPointer(buffer), limits: limits)
    }
  }

  /// The same over raw memory.
  public mutating func merge(
    serialized bytes: UnsafeRawBufferPointer, limits: DecodingLimits = .default
  ) throws(DecodingError) {
    guard bytes.count <= limits.maximumBytes else {
      throw DecodingError(.tooLarge, message: Self.protoName)
    }
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    var reader = WireReader(start: start, count: bytes.count, limits: limits)
    let table = Self.fields.layout.linkedTable()
    try withUnsafeMutablePointer(to: &self) { pointer throws(DecodingError) in
      try reader.decode(table, into: UnsafeMutableRawPointer(pointer))
    }
  }

  /// The binary format. Fields stand in the order of their numbers, unknown fields at the end.
  public func serialized() -> [UInt8] {
    var bytes: [UInt8] = []
    serialize(into: &bytes)
    return bytes
  }

  /// Appends the binary format to `buffer`.
  public func serialize(into buffer: inout [UInt8]) {
    let layout = Self.fields.layout
    let table = layout.linkedTable()
    withUnsafePointer(to: self) { pointer in
      BackwardWriter.write(
        table, of: layout, from: UnsafeRawPointer(pointer), appendingTo: &buffer)
    }
  }

  /// The number of bytes that `serialized()` returns.
  public var serializedCount: Int { serialized().count }
}
