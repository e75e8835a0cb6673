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

  let encode: Encode
  let decode: Decode

  @usableFromInline init(encode: @escaping Encode, decode: @escaping Decode) {
    self.encode = encode
    self.decode = decode
  }
}
