import Crypto
import Daemon
import SQLiteStore

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
  static func finishKeyChange(_ options: ServeOptions) throws {
    guard let path = keyPath(options), PrivateFiles.exists(unfinished(path)) else { return }
    let newer = try Sealer(masterKey: MasterKeyFile.load(unfinished(path)))
    if SQLiteStore.keyID(path: options.storePath) == newer.keyID {
      try MasterKeyFile.replace(path, by: unfinished(path))
    } else {
      PrivateFiles.remove(unfinished(path))
    }
  }

  /// Brings the store under another master key, while it is used.
  ///
  /// - Parameter file: holds the new key; empty: a random one is made, which takes the place of the old one's file.
  /// - Throws: a one-line reason, which says what to do; nothing has changed then.
  func changeMasterKey(to file: String) async throws -> NewMasterKey {
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
      if let path { PrivateFiles.remove(Self.unfinished(path)) }
      PrivateFiles.remove(seen)
      throw error
    }
    var notes: [String] = []
    if let path {
      try MasterKeyFile.replace(path, by: Self.unfinished(path))
      notes.append("\(path) holds the new master key: back it up, apart from the store")
    } else {
      notes.append(
        "give \(file) to the service manager in place of the old key before omnid is started the next time: the store "
          + "opens with the new one alone")
    }
    notes.append(
      "backups of the store that were made before open with the old master key \(old) alone, and whoever has both has the "
        + "CA keys in them")
    return NewMasterKey(keyID: next.keyID, notes: notes)
  }
}
