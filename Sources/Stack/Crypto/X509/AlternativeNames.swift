internal import COpenSSL

/// The DNS names and IP addresses of a SubjectAltName extension (RFC 5280 section 4.2.1.6).
struct AlternativeNames: Sendable {
  var dnsNames: [String] = []
  var ipAddresses: [IPAddress] = []

  var isEmpty: Bool { dnsNames.isEmpty && ipAddresses.isEmpty }

  /// Checks names that are to be written.
  ///
  /// - Throws: `.malformed` for a DNS name with bytes that none has, or a text that is no IP
  ///   address.
  init(dnsNames: [String], ipAddresses: [String]) throws(CryptoError) {
    for name in dnsNames {
      guard (1...253).contains(name.utf8.count),
        name.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
      else { throw CryptoError(.malformed, "not a DNS name: \(name.debugDescription)") }
    }
    self.dnsNames = dnsNames
    for text in ipAddresses {
      guard let address = IPAddress(text) else {
        throw CryptoError(.malformed, "not an IP address: \(text.debugDescription)")
      }
      self.ipAddresses.append(address)
    }
  }

  /// Reads a decoded extension, `GENERAL_NAMES`, and frees it; none gives no names.
  init(takingOver decoded: UnsafeMutableRawPointer?) {
    guard let decoded = unsafe decoded else { return }
    let names = OpaquePointer(decoded)
    defer { unsafe GENERAL_NAMES_free(names) }
    for index in 0..<(unsafe copenssl_general_names_count(names)) {
      let name = unsafe copenssl_general_names_get(names, index)
      var kind: Int32 = 0
      guard let value = unsafe GENERAL_NAME_get0_value(name, &kind) else { continue }
      guard kind == GEN_DNS || kind == GEN_IPADD else { continue }
      let content = unsafe bytes(of: UnsafePointer(value.assumingMemoryBound(to: ASN1_STRING.self)))
      if kind == GEN_DNS {
        dnsNames.append(String(decoding: content ?? [], as: UTF8.self))
      } else if let address = IPAddress(bytes: content ?? []) {
        ipAddresses.append(address)
      }
    }
  }

  /// The names as a new `GENERAL_NAMES`; the caller's handle owns it.
  func encodable() throws(CryptoError) -> Handle {
    let names = try unsafe Handle(owning: GENERAL_NAMES_new(), GENERAL_NAMES_free)
    for name in dnsNames { try append(Array(name.utf8), as: GEN_DNS, to: names) }
    for address in ipAddresses { try append(address.bytes, as: GEN_IPADD, to: names) }
    return names
  }

  private func append(
    _ content: [UInt8], as kind: Int32, to names: borrowing Handle
  ) throws(CryptoError) {
    let type = kind == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING
    guard let name = unsafe GENERAL_NAME_new(), let value = unsafe ASN1_STRING_type_new(type),
      unsafe ASN1_STRING_set(value, content, Int32(content.count)) == 1
    else { throw CryptoError(.internalFailure, OpenSSL.drainErrors()) }
    // The name owns the value, the list owns the name.
    unsafe GENERAL_NAME_set0_value(name, kind, value)
    guard unsafe copenssl_general_names_push(names.pointer, name) > 0 else {
      throw CryptoError(.internalFailure, OpenSSL.drainErrors())
    }
  }
}
