import Crypto
import Daemon
import Orchestrator
import SQLiteStore
import Synchronization

/// Changing the master key.
///
/// The new key lies beside the old one, under a name of its own, before the store is brought under it, and takes the old
/// one's place afterwards: whichever the store stands under when omnid is cut short is there at the next start.
extension PersistentState {
  /// What came of a change.
  struct NewMasterKey: Sendable {
    var keyID: String
    /// What a person has to do now, a line each.
    var notes: [String]
  }

  private static func unfinished(_ path: String) -> String { path + ".next" }

  /// Where the key lies that omnid may replace; nil where the service manager keeps it.
  private static func keyPath(_ options: ServeOptions) -> String? {
    switch options.masterKey {
    case .own(let path), .given(let path): path
    case .credential: nil
    }
  }

  /// Ends a change that was cut short: the new key counts if the store stands under it.
  ///
  /// - Throws: when it cannot be told under which key the store stands; then both keys stay.
  static func finishKeyChange(_ options: ServeOptions) throws {
    guard let path = keyPath(options), PrivateFiles.exists(unfinished(path)) else { return }
    let newer = try Sealer(masterKey: MasterKeyFile.load(unfinished(path)))
    let stored = SQLiteStore.keyID(path: options.storePath)
    if stored == newer.keyID { return try MasterKeyFile.replace(path, by: unfinished(path)) }
    let present =
      PrivateFiles.exists(path) ? try Sealer(masterKey: MasterKeyFile.load(path)).keyID : nil
    guard let stored, stored == present else {
      throw DaemonError(
        "a change of the master key was cut short, and the store \(options.storePath) stands under neither "
          + "\(path) nor \(unfinished(path)), or cannot be read: bring the store back; to give it up, move "
          + "\(unfinished(path)) away")
    }
    PrivateFiles.remove(unfinished(path))
  }

  /// Brings the store under another master key, while it is used.
  ///
  /// - Parameter file: holds the new key; empty: a random one is made, which takes the place of the old one's file.
  /// - Throws: a one-line reason, which says what to do; nothing has changed then.
  func changeMasterKey(to file: String) async throws -> NewMasterKey {
    // Two at once would take each other's file.
    let isFree = isChangingKey.withLock { isChanging in
      defer { isChanging = true }
      return !isChanging
    }
    guard isFree else {
      throw DaemonError("the master key is being changed by somebody else just now: look again")
    }
    defer { isChangingKey.withLock { $0 = false } }
    try Self.finishKeyChange(options)
    let old = sealer.keyID
    let path = Self.keyPath(options)
    guard path != nil || !file.isEmpty else {
      throw DaemonError(
        "the service manager keeps the master key, and omnid cannot give it another one: name the file of the "
          + "new key (--new-master-key-file), and give that to the service manager afterwards")
    }
    let key =
      file.isEmpty
      ? SecretBytes(copying: Random.bytes(Sealer.keySize)) : try MasterKeyFile.load(file)
    let next = try Sealer(masterKey: key)
    guard next.keyID != old else {
      throw DaemonError("the new master key is the old one: nothing has changed")
    }
    if let path { try MasterKeyFile.make(Self.unfinished(path), holding: key) }
    let seen = Self.mark(options, next)
    if !PrivateFiles.exists(seen) {
      try PrivateFiles.make(
        seen, saying: "A store of version 2 has been used with this master key.\n")
    }
    do { try await store.reseal(sealer, under: next) } catch {
      // A change whose end could not be seen may have been made all the same: its key stays then, for the next start.
      guard SQLiteStore.keyID(path: options.storePath) == old else {
        throw DaemonError(
          "it is not known whether the master key was changed (\(error.message)): "
            + "restart omnid, which finds out; both keys are kept until then")
      }
      if let path { PrivateFiles.remove(Self.unfinished(path)) }
      PrivateFiles.remove(seen)
      throw error
    }
    var notes: [String] = []
    if let path {
      do throws(CryptoError) { try MasterKeyFile.replace(path, by: Self.unfinished(path)) } catch {
        throw DaemonError(
          "the master key has been changed, and lies at \(Self.unfinished(path)), because it could not take the place "
            + "of \(path): put it there, and back it up (\(error.message))")
      }
      notes.append("\(path) holds the new master key: back it up, apart from the store")
    } else {
      notes.append(
        "give \(file) to the service manager in place of the old key before omnid is started the next time: the store "
          + "opens with the new one alone")
    }
    notes.append(
      "backups that were made before open with the old master key \(old) alone, or hold it, with a passphrase or for age "
        + "keys: whoever has one and what opens it has the CA keys in it")
    return NewMasterKey(keyID: next.keyID, notes: notes)
  }
}
