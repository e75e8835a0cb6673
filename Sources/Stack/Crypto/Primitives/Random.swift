internal import COpenSSL

/// Random bytes fit for keys.
public enum Random {
  /// `count` bytes from OpenSSL's generator, which the kernel seeds.
  ///
  /// Traps when the generator fails: there is no safe way to go on without randomness.
  public static func bytes(_ count: Int) -> [UInt8] {
    OpenSSL.begin()
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let result = unsafe RAND_bytes(buffer.baseAddress, Int32(count))
      precondition(result == 1, "the random generator failed")
      initialized = count
    }
  }
}
