public import Crypto

/// Backups that age encrypts (https://c2sp.org/age), to recipients whose identities need not be on the host that makes them.
///
/// Within the age file stands, in clear, `header | master key (32 bytes) | length of the release (1) | release |
/// SHA-256 of the store (32) | SHA-256 of all before (32) | store`. The digests show of what `age -d` has written that it is
/// whole. Age lets nobody read the file or change a part of it, and does not show who made it: a recipient is no secret, so
/// somebody else may put another backup in its place.
extension Backup {
  /// The bytes of the age file.
  ///
  /// - Parameters:
  ///   - recipients: 1 to `AgeRecipient.limit`; each of them opens the backup alone.
  ///   - keyID: of the master key that the store is sealed under.
  /// - Precondition: the master key is in the backup.
  public func encrypted(
    to recipients: [AgeRecipient], keyID: String
  ) throws(BackupError) -> [UInt8] {
    guard let masterKey else { preconditionFailure("a backup that age opens holds the master key") }
    var preface = BackupHeader(lock: .age, cost: 0, madeAt: madeAt, keyID: keyID).bytes
    let name = Array(release.utf8.prefix(255))
    preface.reserveCapacity(
      preface.count + Sealer.keySize + 1 + name.count + 2 * Self.digestSize)
    masterKey.withSpan { key in for index in key.indices { preface.append(key[index]) } }
    preface.append(UInt8(name.count))
    preface += name + SHA256.digest(store)
    defer { preface.wipe() }
    preface += SHA256.digest(preface)
    return try Self.failing { () throws(CryptoError) in
      try AgeFile.encrypted([preface, store], to: recipients)
    }
  }

  /// What an age file holds: the bytes of a backup, the caller's to wipe.
  ///
  /// - Throws: `.otherLock` when the file is not for these identities, `.notAuthentic`, `.unknown`.
  public static func decrypted(
    _ file: [UInt8], by identities: [AgeIdentity]
  ) throws(BackupError) -> [UInt8] {
    do throws(CryptoError) { return try AgeFile.decrypted(file, by: identities) } catch {
      let code: BackupError.Code =
        switch error.code {
        case .keyMismatch, .unsupported: .otherLock
        case .sealBroken: .notAuthentic
        case .malformed, .limitExceeded: .unknown
        default: .failed
        }
      throw BackupError(code, error.message)
    }
  }

  /// Reads what age has opened.
  ///
  /// - Parameter bytes: hold the master key in clear, and are the caller's to wipe.
  /// - Throws: `.unknown`, `.otherLock` for a backup that age has nothing to do with, `.notAuthentic`, `.truncated`.
  public init(opened bytes: [UInt8]) throws(BackupError) {
    let header = try BackupHeader(bytes)
    guard header.lock == .age else {
      throw BackupError(.otherLock, "the backup was not made for age")
    }
    let start = BackupHeader.size
    guard bytes.count > start + Sealer.keySize else { throw .endsEarly }
    let name = start + Sealer.keySize + 1
    let digests = name + Int(bytes[name - 1])
    let begin = digests + 2 * Self.digestSize
    guard bytes.count >= begin else { throw .endsEarly }
    var preface = Array(bytes[..<(digests + Self.digestSize)])
    defer { preface.wipe() }
    let store = Array(bytes[begin...])
    guard SHA256.digest(preface).elementsEqual(bytes[(begin - Self.digestSize)..<begin]),
      SHA256.digest(store).elementsEqual(bytes[digests..<(digests + Self.digestSize)])
    else {
      throw BackupError(
        .notAuthentic, "the backup is damaged or cut off: open it with age once more")
    }
    var key = Array(bytes[start..<(name - 1)])
    self.init(
      madeAt: header.madeAt, release: String(decoding: bytes[name..<digests], as: UTF8.self),
      masterKey: SecretBytes(taking: &key), store: store)
  }

  private static let digestSize = 32
}
