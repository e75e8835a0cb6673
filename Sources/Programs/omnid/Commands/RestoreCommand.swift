import Backup
import Crypto
import Daemon
import Orchestrator
import Rotation
import SQLiteStore

/// `omnid restore`: brings a store back where there is none.
enum RestoreCommand {
  /// - Returns: the exit status: 0 done, 1 failed, 2 wrong usage.
  static func run(_ arguments: [String], _ facts: ProcessFacts) -> Int32 {
    do {
      let (own, rest) = try CommandFlags.split(
        arguments, ["--from", "--passphrase-file", "--identity"])
      guard let path = own["--from"]?.texts[0] else { throw UsageError("--from FILE is missing") }
      let options = try ServeOptions(rest, facts, readFile: Program.readConfiguration)
      try ProcessPrivacy.begin()
      let source = Source(
        path: path, passphraseFile: own["--passphrase-file"]?.texts[0],
        identityFile: own["--identity"]?.texts[0])
      let (backup, contents) = try restore(source, options)
      return CommandFlags.say(text(backup, contents, options))
    } catch {
      return CommandFlags.fail(error)
    }
  }

  /// Where a backup is, and where that is by which it opens.
  private struct Source {
    /// `-` is standard input.
    var path: String
    var passphraseFile: String?
    var identityFile: String?
  }

  private static func restore(
    _ source: Source, _ options: ServeOptions
  ) throws -> (Backup, StoreContents) {
    try PrivateFiles.makeDirectory(options.stateDirectory)
    try PrivateFiles.checkDirectory(options.stateDirectory)
    let stateLock = try ProcessLock(directory: options.stateDirectory, patience: 0)
    let storeDirectory = PrivateFiles.parent(of: options.storePath) ?? "."
    try PrivateFiles.makeDirectory(storeDirectory)
    try PrivateFiles.checkSharedDirectory(storeDirectory)
    let storeLock = try ProcessLock(store: options.storePath, patience: 0)
    for suffix in ["", "-wal", "-shm", "-journal"]
    where PrivateFiles.exists(options.storePath + suffix) {
      throw DaemonError(
        "there is \(options.storePath + suffix) already: nothing is restored over a store; move it away, or give "
          + "another --state-dir")
    }
    let backup = try opened(source, options)
    let key = try backup.masterKey ?? options.masterKey.load()
    if backup.masterKey != nil { try checkKey(key, options) }
    let copy = try StoreCopy(bytes: backup.store, sealer: Sealer(masterKey: key))
    // The key first: a store without its key would look like one whose key was lost.
    if case .own(let place) = options.masterKey, !PrivateFiles.exists(place) {
      var bytes = key.copy()
      defer { bytes.wipe() }
      try PrivateFiles.create(place, bytes)
    }
    try PrivateFiles.create(options.storePath, backup.store)
    extendLifetime(stateLock)
    extendLifetime(storeLock)
    return (backup, copy.contents)
  }

  private static func opened(_ source: Source, _ options: ServeOptions) throws -> Backup {
    let limit = StoreCopy.limit + StoreCopy.limit / 16
    var bytes =
      try source.path == "-"
      ? PrivateFiles.readInput(limit: limit) : PrivateFiles.read(source.path, limit: limit)
    // What age has opened holds the master key in clear.
    defer { bytes.wipe() }
    let isAge = AgeFile.isOne(bytes)
    switch (isAge, source.identityFile) {
    case (true, let file?): bytes = try Backup.decrypted(bytes, by: BackupLock.identities(file))
    case (true, nil):
      throw BackupError(
        .otherLock,
        "the backup is encrypted with age: give --identity FILE, with the identity of one of its recipients"
      )
    case (false, .some):
      throw BackupError(
        .otherLock,
        "the backup is not encrypted with age: somebody has decrypted it already, or made it; only where you know that "
          + "it is yours leave --identity away")
    case (false, nil): break
    }
    if let file = source.passphraseFile {
      return try Backup(bytes, key: .passphrase(BackupLock.passphrase(file)))
    }
    switch try BackupHeader(bytes).lock {
    case .age:
      if !isAge, source.path != "-" { try PrivateFiles.checkSecret(source.path) }
      return try Backup(opened: bytes)
    case .passphrase:
      throw BackupError(.otherLock, "the backup has a passphrase: give --passphrase-file")
    case .masterKey:
      let key: SecretBytes
      do throws(CryptoError) { key = try options.masterKey.load() } catch {
        throw DaemonError(
          "the backup does not hold the master key, which has to be in place first: \(error.message)"
        )
      }
      return try Backup(bytes, key: .master(Sealer(masterKey: key)))
    }
  }

  /// - Throws: when another master key than the backup's is in place.
  private static func checkKey(_ key: SecretBytes, _ options: ServeOptions) throws {
    if case .own(let path) = options.masterKey, !PrivateFiles.exists(path) { return }
    guard try options.masterKey.load().isEqual(to: key) else {
      throw DaemonError(
        "\(options.masterKey.path) is another master key than the backup's: move it away, or give another "
          + "--state-dir")
    }
  }

  // MARK: - Words

  static func text(_ backup: Backup, _ contents: StoreContents, _ options: ServeOptions) -> String {
    let count = contents.clusters.count
    var lines = [
      "restored \(count) cluster\(count == 1 ? "" : "s") as of \(Instant(secondsSince1970: backup.madeAt)), revision "
        + "\(contents.revision), to \(options.storePath)"
    ]
    for cluster in contents.clusters {
      guard let id = cluster.activeRotation,
        let rotation = contents.rotations.first(where: { $0.id == id })
      else { continue }
      lines.append(
        "a rotation of the \(rotation.component.rawValue) of \(cluster.name) was under way: the next omnid goes on with it "
          + "from there")
    }
    lines += [
      "what has happened since is not in it. At its start omnid asks the machines; a cluster that was rotated since is "
        + "marked, and no credential is issued for it until it is taken over: omnictl cluster adopt NAME --talosconfig "
        + "FILE, with a talosconfig that the machines accept now",
      "access that was revoked since is good again: revoke it once more (omnictl access list)",
    ]
    return lines.joined(separator: "\n") + "\n"
  }
}
