/// How a field is reached whose Swift type the table does not know: messages, lists of messages and
/// enums, maps, oneofs. The closures are made where the type is known, so that the compiler
/// specializes them; they call back into the engine, which is compiled once.
///
/// The pointer is that of the field within its message.
@usableFromInline final class FieldAccess: Sendable {
  @usableFromInline typealias Encode =
    @Sendable (
      UnsafeRawPointer, UnsafePointer<Row>, inout BackwardWriter
    ) -> Void
  @usableFromInline typealias Decode =
    @Sendable (
      UnsafeMutableRawPointer, UnsafePointer<Row>, inout WireReader
    ) throws(DecodingError) -> Void

  /// Shows every value that the field holds, one after the other: the message, each element, each
  /// `MapEntry`, the payload of the oneof's case. None when the field is not set.
  @usableFromInline typealias Visit =
    @Sendable (
      UnsafeRawPointer, (UnsafeRawPointer) throws(JSONEncodingError) -> Void
    ) throws(JSONEncodingError) -> Void
  /// Makes a default value, has it filled in and puts it into the field, at the end of a list.
  @usableFromInline typealias Insert =
    @Sendable (
      UnsafeMutableRawPointer, (UnsafeMutableRawPointer) throws(JSONDecodingError) -> Void
    ) throws(JSONDecodingError) -> Void

  let encode: Encode
  let decode: Decode
  let visit: Visit
  let insert: Insert
  /// Bytes of memory that one more element takes.
  let stride: Int

  @usableFromInline init(
    stride: Int, encode: @escaping Encode, decode: @escaping Decode, visit: @escaping Visit,
    insert: @escaping Insert
  ) {
    self.stride = stride
    self.encode = encode
    self.decode = decode
    self.visit = visit
    self.insert = insert
  }
}
