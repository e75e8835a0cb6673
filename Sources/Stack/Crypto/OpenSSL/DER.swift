internal import COpenSSL

/// What one of OpenSSL's `d2i` functions makes of `der`, and how many bytes of it were read. The
/// caller owns the object.
func decoded(
  _ der: [UInt8],
  _ read: (UnsafeMutablePointer<UnsafePointer<UInt8>?>?, Int) -> OpaquePointer?
) -> (object: OpaquePointer?, consumed: Int) {
  unsafe der.withUnsafeBufferPointer { buffer in
    var cursor = buffer.baseAddress
    let object = unsafe read(&cursor, buffer.count)
    guard let start = buffer.baseAddress, let cursor = unsafe cursor else {
      return unsafe (object, 0)
    }
    return unsafe (object, cursor - start)
  }
}

/// The DER of something, written by one of OpenSSL's `i2d` functions.
func encoded(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
  let size = write(nil)
  guard size > 0 else { return [] }
  return unsafe [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, initialized in
    var cursor = buffer.baseAddress
    initialized = unsafe Int(write(&cursor))
  }
}

/// The content bytes of an ASN.1 string, which stays the caller's; nil for none.
func bytes(of string: UnsafePointer<ASN1_STRING>?) -> [UInt8]? {
  guard let string = unsafe string else { return nil }
  let start = unsafe ASN1_STRING_get0_data(string)
  return unsafe Array(UnsafeBufferPointer(start: start, count: Int(ASN1_STRING_length(string))))
}
