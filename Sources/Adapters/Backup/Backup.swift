public import Crypto

/// A store at one moment as a file that can be kept anywhere: encrypted, and refused when a bit of it was changed,
/// taken out, put elsewhere or cut off.
///
/// Behind the header stand records, each `length (4 bytes) | sealed bytes` (`Sealer`), the last of them marked as such in
/// what its seal authenticates. The first holds the master key, if it is in the backup, and the release; the others
/// hold the store, a piece each.
public struct Backup: Sendable {
  /// What a backup is locked with, or opened by.
  public enum Key: Sendable {
    /// Holds the master key.
    case master(Sealer)
    case passphrase(SecretBytes)
  }

  /// Unix seconds.
  public var madeAt: Int64
  /// The release of the omnid that made it.
  public var release: String
  /// The master key, if it is in the backup.
  public var masterKey: SecretBytes?
  /// The bytes of the SQLite file.
  public var store: [UInt8]

  static let pieceSize = 1 << 20

  public init(madeAt: Int64, release: String, masterKey: SecretBytes? = nil, store: [UInt8]) {
    self.madeAt = madeAt
    self.release = release
    self.masterKey = masterKey
    self.store = store
  }

  // MARK: - Locking

  /// The bytes of the file.
  ///
  /// - Parameters:
  ///   - keyID: of the master key that the store is sealed under.
  ///   - cost: of scrypt; see `PassphraseKey`.
  /// - Precondition: with a passphrase the master key is in the backup, without one it is not: locked with itself it
  ///   would be of no use to anybody.
  public func locked(
    with key: Key, keyID: String, cost: UInt8 = PassphraseKey.usualCost
  ) throws(BackupError) -> [UInt8] {
    var header: BackupHeader
    switch key {
    case .master:
      precondition(masterKey == nil, "a backup that the master key opens does not hold it")
      header = BackupHeader(lock: .masterKey, cost: 0, madeAt: madeAt, keyID: keyID)
    case .passphrase:
      precondition(masterKey != nil, "a backup that a passphrase opens holds the master key")
      header = BackupHeader(lock: .passphrase, cost: cost, madeAt: madeAt, keyID: keyID)
    }
    let sealer = try Self.sealer(header, key)
    var bytes = header.bytes
    bytes.reserveCapacity(bytes.count + store.count + store.count / 1000 + 4096)
    var preface: [UInt8] = [masterKey == nil ? 0 : 1]
    preface.reserveCapacity(1 + Sealer.keySize + release.utf8.count)
    masterKey?.withSpan { key in for index in key.indices { preface.append(key[index]) } }
    preface += Array(release.utf8)
    defer { preface.wipe() }
    try Self.append(preface, 0, isLast: false, header, sealer, &bytes)
    var index: UInt64 = 1
    var start = 0
    repeat {
      let end = min(start + Self.pieceSize, store.count)
      try Self.append(
        Array(store[start..<end]), index, isLast: end == store.count, header, sealer, &bytes)
      index += 1
      start = end
    } while start < store.count
    return bytes
  }

  private static func append(
    _ record: [UInt8], _ index: UInt64, isLast: Bool, _ header: BackupHeader, _ sealer: Sealer,
    _ bytes: inout [UInt8]
  ) throws(BackupError) {
    let sealed = try failing { () throws(CryptoError) in
      try sealer.seal(record, context: context(header, index, isLast))
    }
    for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: sealed.count >> shift)) }
    bytes += sealed
  }

  // MARK: - Opening

  /// Opens the bytes of a file.
  ///
  /// - Throws: `.unknown`, `.otherLock`, `.notAuthentic`, `.truncated`.
  public init(_ bytes: [UInt8], key: Key) throws(BackupError) {
    let header = try BackupHeader(bytes)
    let sealer = try Self.sealer(header, key)
    madeAt = header.madeAt
    store = []
    release = ""
    var rest = bytes[BackupHeader.size...]
    var index: UInt64 = 0
    var isOver = false
    while !isOver {
      guard let sealed = Self.record(&rest) else { throw .endsEarly }
      // Only the last record has nothing behind it: one that was cut off behind a whole record does not open as the last.
      isOver = rest.isEmpty
      let record = try Self.open(sealed, index, isLast: isOver, header, sealer)
      if index == 0 {
        guard let preface = Self.preface(record), !isOver else { throw .endsEarly }
        (masterKey, release) = preface
      } else {
        record.withSpan { piece in for i in piece.indices { store.append(piece[i]) } }
      }
      index += 1
    }
  }

  /// The next record's sealed bytes; nil where there is no whole record.
  private static func record(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
    guard rest.count >= 4 else { return nil }
    let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    rest = rest.dropFirst(4)
    guard length <= pieceSize + Sealer.overhead, rest.count >= length else { return nil }
    defer { rest = rest.dropFirst(length) }
    return Array(rest.prefix(length))
  }

  private static func open(
    _ sealed: [UInt8], _ index: UInt64, isLast: Bool, _ header: BackupHeader, _ sealer: Sealer
  ) throws(BackupError) -> SecretBytes {
    if let record = try? sealer.open(sealed, context: context(header, index, isLast)) {
      return record
    }
    if isLast, (try? sealer.open(sealed, context: context(header, index, false))) != nil {
      throw .endsEarly
    }
    guard index > 0 else {
      throw BackupError(
        .notAuthentic,
        header.lock == .passphrase
          ? "the passphrase is not the backup's, or the backup was changed"
          : "the backup was changed: take another copy of it")
    }
    throw BackupError(.notAuthentic, "the backup was changed: take another copy of it")
  }

  private static func preface(_ record: SecretBytes) -> (SecretBytes?, String)? {
    var bytes = record.copy()
    defer { bytes.wipe() }
    guard let flag = bytes.first else { return nil }
    guard flag == 1 else { return (nil, String(decoding: bytes.dropFirst(), as: UTF8.self)) }
    guard bytes.count > Sealer.keySize else { return nil }
    var key = Array(bytes[1...Sealer.keySize])
    return (
      SecretBytes(taking: &key),
      String(decoding: bytes.dropFirst(1 + Sealer.keySize), as: UTF8.self)
    )
  }

  // MARK: - Keys

  private static func context(_ header: BackupHeader, _ index: UInt64, _ isLast: Bool) -> String {
    "\(header.context) \(index) \(isLast ? "last" : "more")"
  }

  private static func sealer(_ header: BackupHeader, _ key: Key) throws(BackupError) -> Sealer {
    switch (header.lock, key) {
    case (.masterKey, .master(let master)):
      guard master.keyID == header.keyID else {
        throw BackupError(
          .otherLock,
          "the backup opens by the master key \(header.keyID), and the one given is \(master.keyID)"
        )
      }
      return try failing { () throws(CryptoError) in
        try master.sealer(for: "backup 1", salt: header.salt)
      }
    case (.passphrase, .passphrase(let passphrase)):
      guard PassphraseKey.costs.contains(header.cost) else {
        throw BackupError(.notAuthentic, "the backup was changed: take another copy of it")
      }
      return try failing { () throws(CryptoError) in
        try Sealer(
          masterKey: PassphraseKey.derive(passphrase, salt: header.salt, cost: header.cost))
      }
    case (.masterKey, .passphrase):
      throw BackupError(
        .otherLock,
        "the backup has no passphrase: it opens by the master key \(header.keyID)")
    case (.passphrase, .master):
      throw BackupError(.otherLock, "the backup has a passphrase: give --passphrase-file")
    case (.age, _):
      throw BackupError(.otherLock, "the backup has no passphrase: age has opened it already")
    }
  }

  static func failing<Value>(
    _ body: () throws(CryptoError) -> Value
  ) throws(BackupError) -> Value {
    do throws(CryptoError) { return try body() } catch { throw BackupError(.failed, error.message) }
  }
}
