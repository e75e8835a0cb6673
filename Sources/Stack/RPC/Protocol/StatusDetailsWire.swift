internal import Encodings

/// `google.rpc.Status` as bytes.
///
/// RPC imports no codec, and this one message is part of the gRPC protocol itself: code 1, message
/// 2, details 3 (each a `google.protobuf.Any`: type_url 1, value 2).
enum StatusDetailsWire {
  static func encode(_ error: RPCError) -> [UInt8] {
    var out: [UInt8] = []
    if error.code.rawValue != 0 {
      FieldWriter.append(1, varint: UInt64(error.code.rawValue), to: &out)
    }
    append(2, Array(error.message.utf8), to: &out)
    for detail in error.details {
      var any: [UInt8] = []
      append(1, Array(detail.typeURL.utf8), to: &any)
      append(2, detail.value, to: &any)
      FieldWriter.append(3, any, to: &out)
    }
    return out
  }

  /// A field that holds its default is left out.
  private static func append(_ number: Int, _ value: [UInt8], to out: inout [UInt8]) {
    if !value.isEmpty { FieldWriter.append(number, value, to: &out) }
  }

  /// The details that can be read; a peer's malformed bytes give what stands before the fault.
  static func decode(_ bytes: [UInt8]) -> [StatusDetail] {
    var details: [StatusDetail] = []
    var status = FieldCursor(bytes[...])
    while let field = status.next() {
      guard field.number == 3, let value = field.bytes else { continue }
      var detail = StatusDetail(typeURL: "", value: [])
      var any = FieldCursor(value)
      while let field = any.next() {
        guard let value = field.bytes else { continue }
        if field.number == 1 { detail.typeURL = String(decoding: value, as: UTF8.self) }
        if field.number == 2 { detail.value = Array(value) }
      }
      details.append(detail)
    }
    return details
  }
}
