import Backup
import Crypto
import Daemon
import Notifications
import Orchestrator
import Platform
import Release
import SQLiteStore

/// Makes backups of one store, also while it is used.
struct BackupMaking: Sendable {
  let storePath: String
  let masterKey: ServeOptions.MasterKey
  /// With one the master key is in the backup.
  let passphraseFile: String?

  /// Of a passphrase, in bytes.
  private static let shortest = 12

  /// Writes a backup to a file that is not there yet. Blocks.
  ///
  /// - Returns: what is in it, and how many bytes it has.
  /// - Throws: `StoreError`, `CryptoError`, `BackupError`, `DaemonError`; nothing is left of the file.
  func write(to path: String) throws -> (contents: StoreContents, bytes: Int) {
    let passphrase = try passphraseFile.map(Self.passphrase)
    // Before the work: a name that is taken is a mistake.
    guard !PrivateFiles.exists(path) else {
      throw DaemonError("\(path) is there already: choose another name, or move it away")
    }
    let key = try masterKey.load()
    let sealer = try Sealer(masterKey: key)
    let copy = try StoreCopy(of: storePath, sealer: sealer)
    let backup = Backup(
      madeAt: WallClock.nanosecondsSince1970() / 1_000_000_000, release: Release.version,
      masterKey: passphrase == nil ? nil : key, store: copy.bytes)
    let bytes = try backup.locked(
      with: passphrase.map { .passphrase($0) } ?? .master(sealer), keyID: sealer.keyID)
    try PrivateFiles.create(path, bytes)
    return (copy.contents, bytes.count)
  }

  /// The first line of a file that its owner alone can read.
  static func passphrase(_ path: String) throws -> SecretBytes {
    var bytes = try PrivateFiles.readSecret(path)
    defer { bytes.wipe() }
    var line = Array(bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") })
    guard line.count >= shortest else {
      line.wipe()
      throw DaemonError(
        "\(path): the passphrase is the first line, and has \(shortest) bytes at least")
    }
    return SecretBytes(taking: &line)
  }
}

extension ServeOptions.MasterKey {
  /// Reads the key, which has to be there.
  func load() throws(CryptoError) -> SecretBytes {
    switch self {
    case .own(let path), .given(let path): try MasterKeyFile.load(path)
    case .credential(let path): try MasterKeyFile.loadCredential(path)
    }
  }

  var path: String {
    switch self {
    case .own(let path), .given(let path), .credential(let path): path
    }
  }
}

/// What went wrong, in words.
func explanation(of error: any Error) -> String {
  switch error {
  case let error as StoreError: error.message
  case let error as CryptoError: error.message
  case let error as OrchestratorError: error.message
  case let error as BackupError: error.message
  case let error as DaemonError: error.message
  case let error as UsageError: error.message
  case let error as NotificationError: error.message
  default: "\(error)"
  }
}
