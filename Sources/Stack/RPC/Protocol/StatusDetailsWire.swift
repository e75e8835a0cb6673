/// `google.rpc.Status` as bytes.
///
/// RPC imports no codec, and this one message is part of the gRPC protocol itself: code 1, message
/// 2, details 3 (each a `google.protobuf.Any`: type_url 1, value 2).
enum StatusDetailsWire {
  static func encode(_ error: RPCError) -> [UInt8] {
    var out: [UInt8] = []
    if error.code.rawValue != 0 {
      out.append(0x08)
      appendVarint(UInt64(error.code.rawValue), to: &out)
    }
    appendField(2, Array(error.message.utf8), to: &out)
    for detail in error.details {
      var any: [UInt8] = []
      appendField(1, Array(detail.typeURL.utf8), to: &any)
      appendField(2, detail.value, to: &any)
      out.append(0x1a)
      appendVarint(UInt64(any.count), to: &out)
      out += any
    }
    return out
  }

  /// The details that can be read; a peer's malformed bytes give what stands before the fault.
  static func decode(_ bytes: [UInt8]) -> [StatusDetail] {
    var details: [StatusDetail] = []
    forEachField(bytes[...]) { number, value in
      guard number == 3, let value else { return }
      var detail = StatusDetail(typeURL: "", value: [])
      forEachField(value) { number, value in
        guard let value else { return }
        if number == 1 { detail.typeURL = String(decoding: value, as: UTF8.self) }
        if number == 2 { detail.value = Array(value) }
      }
      details.append(detail)
    }
    return details
  }

  private static func appendField(_ number: UInt8, _ value: [UInt8], to out: inout [UInt8]) {
    if value.isEmpty { return }
    out.append(number << 3 | 2)
    appendVarint(UInt64(value.count), to: &out)
    out += value
  }

  private static func appendVarint(_ value: UInt64, to out: inout [UInt8]) {
    var value = value
    while value >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    out.append(UInt8(value))
  }

  private static func readVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }

  /// Each field's number, and its bytes where it is length-delimited.
  private static func forEachField(
    _ bytes: ArraySlice<UInt8>, _ body: (UInt64, ArraySlice<UInt8>?) -> Void
  ) {
    var rest = bytes
    while !rest.isEmpty {
      guard let tag = readVarint(&rest) else { return }
      switch tag & 7 {
      case 0:
        guard readVarint(&rest) != nil else { return }
        body(tag >> 3, nil)
      case 2:
        guard let length = readVarint(&rest), length <= UInt64(rest.count) else { return }
        body(tag >> 3, rest.prefix(Int(length)))
        rest = rest.dropFirst(Int(length))
      case 1, 5:
        let width = tag & 7 == 1 ? 8 : 4
        guard rest.count >= width else { return }
        rest = rest.dropFirst(width)
        body(tag >> 3, nil)
      default: return
      }
    }
  }
}
