internal import COpenSSL

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
  /// The 32 bytes of the digest.
  public static func digest(_ bytes: [UInt8]) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: 32) { buffer, initialized in
      _ = unsafe COpenSSL.SHA256(bytes, bytes.count, buffer.baseAddress)
      initialized = 32
    }
  }
}
