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
  let lock: BackupLock

  /// A backup that was made.
  struct Outcome: Sendable {
    var contents: StoreContents
    /// Of the file.
    var bytes: Int
    /// Whose identities open it; none where age has nothing to do with it.
    var recipients: [AgeRecipient]
  }

  /// Writes a backup to a file that is not there yet. Blocks.
  ///
  /// - Throws: `StoreError`, `CryptoError`, `BackupError`, `DaemonError`; nothing is left of the file.
  func write(to path: String) throws -> Outcome {
    let locking = try lock.locking()
    // Before the work: a name that is taken is a mistake.
    guard !PrivateFiles.exists(path) else {
      throw DaemonError("\(path) is there already: choose another name, or move it away")
    }
    let key = try masterKey.load()
    let sealer = try Sealer(masterKey: key)
    let copy = try StoreCopy(of: storePath, sealer: sealer)
    let backup = Backup(
      madeAt: WallClock.nanosecondsSince1970() / 1_000_000_000, release: Release.version,
      masterKey: lock.holdsMasterKey ? key : nil, store: copy.bytes)
    let bytes = try locking.locked(backup, sealer)
    try PrivateFiles.create(path, bytes)
    return Outcome(contents: copy.contents, bytes: bytes.count, recipients: locking.recipients)
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
