internal import CNgHTTP2

/// Header fields that never change, laid out once for the life of the process.
///
/// nghttp2 keeps pointers to them (`NO_COPY`), which is sound because they are never freed.
@safe
public struct ConstantHeaders: Sendable {
  nonisolated(unsafe) let nva: UnsafeMutableBufferPointer<nghttp2_nv>

  public init(_ fields: KeyValuePairs<StaticString, StaticString>) {
    unsafe nva = .allocate(capacity: fields.count)
    for (i, field) in fields.enumerated() {
      unsafe nva.initializeElement(
        at: i,
        to: nghttp2_nv(
          name: UnsafeMutablePointer(mutating: field.key.utf8Start),
          value: UnsafeMutablePointer(mutating: field.value.utf8Start),
          namelen: field.key.utf8CodeUnitCount, valuelen: field.value.utf8CodeUnitCount,
          flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue)
            | UInt8(NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)))
    }
  }
}
