internal import COpenSSL

/// Names of subjects and issuers (RFC 5280 section 4.1.2.4).
enum DistinguishedName {
  /// The values of one attribute kind, in order. `name` stays the caller's.
  static func values(_ attribute: Int32, of name: OpaquePointer?) -> [String] {
    var values: [String] = []
    var index = unsafe X509_NAME_get_index_by_NID(name, attribute, -1)
    while index >= 0 {
      values.append(unsafe value(of: X509_NAME_get_entry(name, index)))
      index = unsafe X509_NAME_get_index_by_NID(name, attribute, index)
    }
    return values
  }

  /// The attributes as `O=talos, CN=admin`; for people and logs. `name` stays the caller's.
  static func text(of name: OpaquePointer?) -> String {
    var parts: [String] = []
    for index in 0..<(unsafe X509_NAME_entry_count(name)) {
      let entry = unsafe X509_NAME_get_entry(name, index)
      let kind = unsafe OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))
      let label = unsafe OBJ_nid2sn(kind).map { unsafe String(cString: $0) } ?? "?"
      parts.append("\(label)=\(unsafe value(of: entry))")
    }
    return parts.joined(separator: ", ")
  }

  /// Appends the values of one attribute. Several values stand together in one set, as Go writes
  /// them.
  ///
  /// `name` stays the caller's.
  static func append(
    _ values: [String], as attribute: Int32, to name: OpaquePointer?
  ) throws(CryptoError) {
    for (index, value) in values.enumerated() {
      let bytes = Array(value.utf8)
      guard !bytes.isEmpty, bytes.count <= 256 else {
        throw CryptoError(.unsupported, "a name attribute must have 1 to 256 bytes")
      }
      let type = bytes.allSatisfy(isPrintable) ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING
      let result = unsafe X509_NAME_add_entry_by_NID(
        name, attribute, type, bytes, Int32(bytes.count), -1, index == 0 ? 0 : -1)
      guard result == 1 else { throw CryptoError(.internalFailure, OpenSSL.drainErrors()) }
    }
  }

  /// The bytes of ASN.1's PrintableString.
  private static func isPrintable(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    case 0x20, 0x27, 0x28, 0x29, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x3a, 0x3d, 0x3f: true
    default: false
    }
  }

  private static func value(of entry: OpaquePointer?) -> String {
    let data = unsafe X509_NAME_ENTRY_get_data(entry)
    // Written by the next call, freed below.
    var text: UnsafeMutablePointer<UInt8>?
    let length = unsafe ASN1_STRING_to_UTF8(&text, data)
    guard length >= 0, let text = unsafe text else { return "" }
    defer { unsafe CRYPTO_free(text, "", 0) }
    return unsafe String(
      decoding: UnsafeBufferPointer(start: text, count: Int(length)), as: UTF8.self)
  }
}
