internal import Crypto
internal import Encodings

/// The beginning of a backup, which is in clear: by which key the rest opens.
///
/// `"omnid backup 1\n" | lock (1) | scrypt's cost (1) | made at (8) | master key id (8) | salt (32)`, numbers in
/// network order. The rest is authenticated together with the header.
public struct BackupHeader: Sendable, Hashable {
  /// By what a backup opens.
  public enum Lock: UInt8, Sendable, Hashable {
    /// The master key that the store is sealed under.
    case masterKey = 0
    /// A passphrase; the backup then holds the master key too.
    case passphrase = 1
    /// Nothing more: these bytes stood in an age file. They hold the master key in clear.
    case age = 2
  }

  static let magic = Array("omnid backup 1\n".utf8)
  static let size = magic.count + 1 + 1 + 8 + 8 + PassphraseKey.saltSize

  public var lock: Lock
  /// The binary logarithm of scrypt's N; 0 without a passphrase.
  public var cost: UInt8
  /// Unix seconds.
  public var madeAt: Int64
  /// Which master key the store is sealed under, in lower-case hexadecimal.
  public var keyID: String
  var salt: [UInt8]

  init(lock: Lock, cost: UInt8, madeAt: Int64, keyID: String) {
    self.lock = lock
    self.cost = cost
    self.madeAt = madeAt
    self.keyID = keyID
    salt = Random.bytes(PassphraseKey.saltSize)
  }

  /// Reads the beginning of a backup. Nothing that it says has been authenticated yet.
  ///
  /// - Throws: `.unknown`, `.truncated`.
  public init(_ bytes: [UInt8]) throws(BackupError) {
    guard bytes.starts(with: Self.magic) else {
      throw BackupError(
        .unknown, "the file is no backup of omnid, or one of an omnid that is newer than this one")
    }
    guard bytes.count >= Self.size else { throw .endsEarly }
    var rest = bytes[Self.magic.count..<Self.size]
    guard let lock = Lock(rawValue: rest.removeFirst()) else {
      throw BackupError(.unknown, "the backup is of an omnid that is newer than this one")
    }
    self.lock = lock
    cost = rest.removeFirst()
    madeAt = Int64(bitPattern: rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    rest = rest.dropFirst(8)
    keyID = Hexadecimal.encode(rest.prefix(8))
    salt = Array(rest.dropFirst(8))
  }

  var bytes: [UInt8] {
    var bytes = Self.magic
    bytes.append(lock.rawValue)
    bytes.append(cost)
    for shift in stride(from: 56, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: madeAt >> Int64(shift)))
    }
    let id = Hexadecimal.decode(keyID) ?? []
    bytes += id.prefix(8) + repeatElement(0, count: max(0, 8 - id.count))
    return bytes + salt
  }

  /// What each record is sealed for, beside its place: a record of another backup does not open here.
  var context: String { "omnid backup 1 \(Hexadecimal.encode(SHA256.digest(bytes)))" }
}

extension BackupError {
  static let endsEarly = BackupError(
    .truncated, "the backup ends before it is whole: take another copy of it")
}
