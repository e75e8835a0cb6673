internal import CNgHTTP2

/// Fields to send, in the same flat form as a `HeaderBlock`, or constant ones that need no copy.
public enum OutgoingHeaders: Sendable {
  case fields(bytes: [UInt8], ends: [UInt32])
  case constant(ConstantHeaders)
}

extension OutgoingHeaders {
  /// What the block counts against a limit: its bytes, and 32 for each field (RFC 9113 section 6.5.2).
  var listBytes: Int {
    switch self {
    case .fields(let bytes, let ends): bytes.count + 16 * ends.count
    case .constant(let headers):
      unsafe headers.nva.reduce(0) { unsafe $0 + $1.namelen + $1.valuelen + 32 }
    }
  }

  /// Calls the body with nghttp2's view of the fields, valid during the call.
  func withFields<R>(_ body: (UnsafePointer<nghttp2_nv>?, Int) -> R) -> R {
    switch self {
    case .constant(let headers):
      return unsafe body(headers.nva.baseAddress, headers.nva.count)
    case .fields(let bytes, let ends):
      return unsafe bytes.withUnsafeBufferPointer { bytes in
        let base = unsafe UnsafeMutablePointer(mutating: bytes.baseAddress)
        return unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: ends.count / 2) {
          nva in
          var start = 0
          for i in 0..<nva.count {
            let nameEnd = Int(ends[2 * i])
            let valueEnd = Int(ends[2 * i + 1])
            unsafe nva.initializeElement(
              at: i,
              to: nghttp2_nv(
                name: base?.advanced(by: start), value: base?.advanced(by: nameEnd),
                namelen: nameEnd - start, valuelen: valueEnd - nameEnd, flags: 0))
            start = valueEnd
          }
          return unsafe body(nva.baseAddress, nva.count)
        }
      }
    }
  }
}
