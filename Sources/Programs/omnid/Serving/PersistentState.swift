import Crypto
import Daemon
import Orchestrator
import SQLiteStore
import Synchronization

/// What outlives the process: the state directory and the store, locked, and the master key.
///
/// Store and master key belong together. One without the other is refused, because a new one in its place
/// would be the silent end of what is in the other; only where there is neither are both made.
final class PersistentState: Sendable {
  let sealer: Sealer
  let store: SQLiteStore
  let options: ServeOptions
  /// Whether the master key is being changed.
  let isChangingKey = Mutex(false)
  private let stateLock: ProcessLock
  private let storeLock: ProcessLock

  /// - Throws: a one-line reason, which says what to do.
  init(_ options: ServeOptions, _ logger: Logger) throws {
    try PrivateFiles.makeDirectory(options.stateDirectory)
    try PrivateFiles.checkDirectory(options.stateDirectory)
    stateLock = try ProcessLock(directory: options.stateDirectory)
    let storeDirectory = PrivateFiles.parent(of: options.storePath) ?? "."
    try PrivateFiles.makeDirectory(storeDirectory)
    try PrivateFiles.checkSharedDirectory(storeDirectory)
    storeLock = try ProcessLock(store: options.storePath)
    self.options = options
    try Self.finishKeyChange(options)
    (sealer, store) = try Self.open(options)
    let seen = Self.mark(options, sealer)
    if !PrivateFiles.exists(seen) {
      // Whatever made it go: a store that is there is from now on one that has been seen.
      try PrivateFiles.make(
        seen, saying: "A store of version 2 has been used with this master key.\n")
    }
    switch store.origin {
    case .made:
      logger.info("made a new store", [.store: .string(options.storePath)])
      logger.warning(
        "keep a copy of the master key elsewhere now, once: without it the store and its backups are worth nothing. Back "
          + "the store up after every import and every rotation (omnid backup, or --backup-to)",
        [.masterKey: .string(options.masterKey.path)])
    case .takenOver:
      logger.warning("took over a store of release 0.1.0", [.store: .string(options.storePath)])
    case .found: break
    }
    if let reason = SecretBytes.lockRefusal {
      logger.warning(
        "keys in memory may be swapped out: raise the limit of locked memory (ulimit -l)",
        [.error: .string(reason)])
    }
  }

  private static func open(_ options: ServeOptions) throws -> (Sealer, SQLiteStore) {
    switch options.masterKey {
    case .own(let path): try openOwn(options, key: path)
    case .given(let path): try openGiven(options, MasterKeyFile.load(path))
    case .credential(let path): try openGiven(options, MasterKeyFile.loadCredential(path))
    }
  }

  /// With the key that omnid makes itself.
  ///
  /// At the first start the key has another name until the store is there: a start that is cut short in between
  /// is gone on with, and a key with its own name tells of a store that has been.
  private static func openOwn(
    _ options: ServeOptions, key path: String
  ) throws -> (Sealer, SQLiteStore) {
    let unfinished = path + ".first"
    let hasStore = PrivateFiles.exists(options.storePath)
    if PrivateFiles.exists(path) {
      guard hasStore else { throw missingStore(options, "move the master key \(path) away") }
      let opened = try openStore(options, MasterKeyFile.load(path), creates: false)
      PrivateFiles.remove(unfinished)
      return opened
    }
    guard !hasStore || PrivateFiles.exists(unfinished) else {
      throw DaemonError(
        "the store \(options.storePath) is there, but not its master key \(path): bring the key back, "
          + "or move the store away")
    }
    let opened = try openStore(options, MasterKeyFile.loadOrCreate(unfinished), creates: true)
    try MasterKeyFile.adopt(unfinished, as: path)
    return opened
  }

  /// With a key from elsewhere, which is there before the first start: that a store has been is known from the
  /// state directory.
  private static func openGiven(
    _ options: ServeOptions, _ key: SecretBytes
  ) throws -> (Sealer, SQLiteStore) {
    let seen = mark(options, try Sealer(masterKey: key))
    let isFirst = !PrivateFiles.exists(seen)
    guard isFirst || PrivateFiles.exists(options.storePath) else {
      throw missingStore(options, "give another master key, or move \(seen) away")
    }
    return try openStore(options, key, creates: isFirst)
  }

  private static func openStore(
    _ options: ServeOptions, _ key: SecretBytes, creates: Bool
  ) throws -> (Sealer, SQLiteStore) {
    let sealer = try Sealer(masterKey: key)
    let seen = mark(options, sealer)
    let refusal =
      "but one of a newer release has been used here: an old copy stands in its place. Restore a "
      + "newer backup, or move \(seen) away to take the old copy over"
    let opening = SQLiteStore.Opening(
      creates: creates, olderIsRefused: PrivateFiles.exists(seen) ? refusal : nil)
    return (sealer, try SQLiteStore(path: options.storePath, sealer: sealer, opening: opening))
  }

  /// The file that says that this master key has been used with a store of version 2.
  static func mark(_ options: ServeOptions, _ sealer: Sealer) -> String {
    "\(options.stateDirectory)/store-seen-\(sealer.keyID)"
  }

  private static func missingStore(_ options: ServeOptions, _ anew: String) -> DaemonError {
    DaemonError(
      "the master key is there, but not its store \(options.storePath): restore the store from a backup, "
        + "or, to start anew without the clusters that were in it, \(anew)")
  }
}
