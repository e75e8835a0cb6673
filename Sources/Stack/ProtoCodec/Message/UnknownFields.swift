/// The fields of a message that its schema does not know, as they stood on the wire, tags included.
///
/// A program that reads a message of a newer schema and writes it back loses nothing.
public struct UnknownFields: Sendable, Hashable {
  /// `nil` rather than empty, so that the usual message carries no reference at all.
  @usableFromInline var storage: [UInt8]?

  /// No unknown fields.
  @inlinable public init() {}

  /// The fields in the binary format. The caller vouches for it being well-formed.
  public init(serialized: [UInt8]) { storage = serialized.isEmpty ? nil : serialized }

  @inlinable public var isEmpty: Bool { storage == nil }

  /// The fields in the binary format, in the order in which they arrived.
  public var serialized: [UInt8] { storage ?? [] }

  /// Forgets them.
  public mutating func removeAll() { storage = nil }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    // Moved out and back, so that the append happens in place and many of them cost linear time.
    var bytesSoFar = storage ?? []
    storage = nil
    bytesSoFar.append(contentsOf: bytes)
    storage = bytesSoFar
  }
}
