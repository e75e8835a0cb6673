internal import COpenSSL

/// Makes a key out of a passphrase: scrypt (RFC 7914), with block size 8 and no parallelization.
public enum PassphraseKey {
  /// The binary logarithms of the cost that are accepted: 16 MiB to 1 GiB of memory for one attempt.
  public static let costs: ClosedRange<UInt8> = 14...20
  /// What is used for new keys: 128 MiB, and about half a second.
  public static let usualCost: UInt8 = 17
  /// Bytes of a salt.
  public static let saltSize = 32

  /// - Parameters:
  ///   - salt: random, and another one for each key.
  ///   - cost: the binary logarithm of scrypt's N.
  /// - Returns: 32 bytes.
  /// - Throws: `.limitExceeded` for a cost that is not accepted, `.malformed` for an empty passphrase.
  public static func derive(
    _ passphrase: SecretBytes, salt: [UInt8], cost: UInt8 = usualCost
  ) throws(CryptoError) -> SecretBytes {
    guard costs.contains(cost) else {
      throw CryptoError(.limitExceeded, "scrypt's cost is 2^\(cost), and not one of 2^14 to 2^20")
    }
    guard passphrase.count > 0 else { throw CryptoError(.malformed, "the passphrase is empty") }
    OpenSSL.begin()
    let blockSize: UInt64 = 8
    let rounds = UInt64(1) << UInt64(cost)
    var key = [UInt8](repeating: 0, count: Sealer.keySize)
    defer { key.wipe() }
    let result = unsafe passphrase.withPointer { text in
      unsafe text.withMemoryRebound(to: CChar.self, capacity: passphrase.count) { text in
        unsafe EVP_PBE_scrypt(
          text, passphrase.count, salt, salt.count, rounds, blockSize, 1,
          // 128 · r · N bytes, and some beside.
          128 * blockSize * rounds + (4 << 20), &key, key.count)
      }
    }
    guard result == 1 else { throw CryptoError(.internalFailure, OpenSSL.drainErrors()) }
    return SecretBytes(copying: key)
  }
}
