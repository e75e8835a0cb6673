internal import Encodings
internal import Synchronization

/// Encrypts secrets that are stored: AES-256-GCM (NIST SP 800-38D) under a master key.
///
/// A sealed secret is `version (1 byte) | key id (8) | nonce (12) | ciphertext | tag (16)`. Header
/// and context are authenticated, so that a sealed secret opens only where it was put.
///
/// The master key can be changed (`adopt`): all copies of a sealer change together.
public struct Sealer: Sendable {
  private static let version: UInt8 = 1
  fileprivate static let keyIDSize = 8
  private static let headerSize = 1 + keyIDSize + AEAD.nonceSize
  /// A sealed secret is at least this much longer than its plaintext, in bytes.
  public static let overhead = headerSize + AEAD.tagSize
  /// Bytes of a master key.
  public static let keySize = 32
  /// The largest plaintext, in bytes.
  public static let maximumSize = 16 << 20

  private let ring: KeyRing

  /// - Parameter masterKey: 32 bytes.
  /// - Throws: `.malformed` for any other size.
  public init(masterKey: SecretBytes) throws(CryptoError) {
    guard masterKey.count == Self.keySize else {
      throw CryptoError(.malformed, "a master key has 32 bytes, not \(masterKey.count)")
    }
    ring = KeyRing(MasterKey(masterKey))
  }

  /// - Parameter masterKey: 32 bytes; the caller's copy is the caller's to wipe.
  public init(masterKey: [UInt8]) throws(CryptoError) {
    try self.init(masterKey: SecretBytes(copying: masterKey))
  }

  /// Seals under the master key of another sealer from now on. What was sealed under the ones before opens still, as long as
  /// the process lives.
  public func adopt(_ other: Sealer) { ring.adopt(other.ring.current) }

  /// Vouches for messages under a key that the master key gives for this purpose alone.
  public func authenticator(for purpose: String) throws(CryptoError) -> MessageAuthenticator {
    MessageAuthenticator(
      key: try KeyDerivation.key(
        from: ring.current.secret, purpose: Array("omnid \(purpose)".utf8)))
  }

  /// Signs messages with a key that the master key gives for this purpose alone: the same one as long as the master key
  /// is the same.
  public func signingKey(for purpose: String) throws(CryptoError) -> SigningKey {
    try SigningKey(
      seed: KeyDerivation.key(from: ring.current.secret, purpose: Array("omnid \(purpose)".utf8)))
  }

  /// Seals with a key that the master key gives for this purpose alone.
  ///
  /// - Parameter salt: another one gives another key; may be empty.
  public func sealer(for purpose: String, salt: [UInt8] = []) throws(CryptoError) -> Sealer {
    try Sealer(
      masterKey: KeyDerivation.key(
        from: ring.current.secret, purpose: Array("omnid \(purpose)".utf8), salt: salt))
  }

  /// Which master key this is, in hexadecimal: the beginning of a digest, of no use for finding the
  /// key.
  public var keyID: String { Hexadecimal.encode(ring.current.id) }

  /// The id of the master key under which `sealed` was sealed; nil when it is not a sealed secret.
  public static func keyID(of sealed: [UInt8]) -> String? {
    guard sealed.count >= overhead, sealed[0] == version else { return nil }
    return Hexadecimal.encode(sealed[1...keyIDSize])
  }

  /// Seals `plaintext` for `context`: what the secret is and whose, such as `demo/talos-ca`.
  ///
  /// - Throws: `.limitExceeded` for more than 16 MiB.
  public func seal(_ plaintext: [UInt8], context: String) throws(CryptoError) -> [UInt8] {
    guard plaintext.count <= Self.maximumSize else {
      throw CryptoError(.limitExceeded, "a secret to seal may have 16 MiB")
    }
    return try seal(SecretBytes(copying: plaintext), context: context)
  }

  /// Seals a secret for `context`.
  ///
  /// - Throws: `.limitExceeded` for more than 16 MiB.
  public func seal(_ secret: SecretBytes, context: String) throws(CryptoError) -> [UInt8] {
    guard secret.count <= Self.maximumSize else {
      throw CryptoError(.limitExceeded, "a secret to seal may have 16 MiB")
    }
    let nonce = Random.bytes(AEAD.nonceSize)
    let key = ring.current
    let header = [Self.version] + key.id
    let sealed = try secret.withSpan { plaintext throws(CryptoError) in
      try AEAD.aes256GCM.seal(
        plaintext, key: key.secret, nonce: nonce, associated: [header, Array(context.utf8)])
    }
    return header + nonce + sealed
  }

  /// Opens what `seal` made for the same context.
  ///
  /// - Throws: `.sealBroken` when it was changed, sealed for another context or under another key.
  public func open(_ sealed: [UInt8], context: String) throws(CryptoError) -> SecretBytes {
    guard sealed.count >= Self.overhead, sealed.count <= Self.maximumSize + Self.overhead,
      sealed[0] == Self.version
    else { throw CryptoError(.sealBroken, "not a sealed secret of a known version") }
    let header = Array(sealed[..<(1 + Self.keyIDSize)])
    guard let key = ring.key(header[1...]) else {
      throw CryptoError(
        .sealBroken,
        "sealed under the master key \(Hexadecimal.encode(header[1...])), not under \(keyID)")
    }
    guard
      var plaintext = try AEAD.aes256GCM.open(
        Array(sealed[Self.headerSize...]), key: key.secret,
        nonce: Array(sealed[header.count..<Self.headerSize]),
        associated: [header, Array(context.utf8)])
    else {
      throw CryptoError(.sealBroken, "the sealed secret was changed, or sealed for another context")
    }
    return SecretBytes(taking: &plaintext)
  }
}

/// A master key, and what it is called.
private struct MasterKey: Sendable {
  let secret: SecretBytes
  let id: [UInt8]

  init(_ secret: SecretBytes) {
    self.secret = secret
    var named = Array("omnid master key id 1".utf8)
    named.reserveCapacity(named.count + Sealer.keySize)
    secret.withSpan { key in for index in key.indices { named.append(key[index]) } }
    id = Array(SHA256.digest(named).prefix(Sealer.keyIDSize))
    named.wipe()
  }
}

/// The master key under which is sealed, and those before it.
private final class KeyRing: Sendable {
  private let keys: Mutex<[MasterKey]>

  init(_ key: MasterKey) { keys = Mutex([key]) }

  var current: MasterKey { keys.withLock { $0[0] } }

  func key(_ id: ArraySlice<UInt8>) -> MasterKey? {
    keys.withLock { $0.first { id.elementsEqual($0.id) } }
  }

  func adopt(_ key: MasterKey) {
    keys.withLock { keys in
      keys.removeAll { $0.id == key.id }
      keys.insert(key, at: 0)
    }
  }
}

extension Sealer: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "sealer with master key \(keyID)" }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
