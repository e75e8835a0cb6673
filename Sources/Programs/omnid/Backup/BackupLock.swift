import Backup
import Crypto
import Daemon

/// By what the backups open that are made.
enum BackupLock: Equatable {
  /// The master key of the store.
  case masterKey
  /// The first line of a file; the master key is in the backup then.
  case passphrase(file: String)
  /// The identity of any of these recipients, and of those in the file; the master key is in the backup then. The file is
  /// read for each backup.
  case recipients([AgeRecipient], file: String?)

  /// - Throws: for settings that exclude each other, and recipients that are none.
  init(
    passphraseFile: SettingValues.Value?, recipients: SettingValues.Value?,
    recipientsFile: SettingValues.Value?
  ) throws(UsageError) {
    guard let forAge = recipients ?? recipientsFile else {
      self = passphraseFile.map { .passphrase(file: $0.texts[0]) } ?? .masterKey
      return
    }
    if let passphraseFile {
      throw UsageError(
        "\(forAge.origin): a backup opens by a passphrase (\(passphraseFile.origin)) or for recipients, not both"
      )
    }
    var known: [AgeRecipient] = []
    for text in recipients?.texts ?? [] {
      do throws(CryptoError) {
        let recipient = try AgeRecipient(text)
        if !known.contains(recipient) { known.append(recipient) }
      } catch { throw UsageError("\(forAge.origin): \(error.message)") }
    }
    guard known.count <= AgeRecipient.limit else {
      throw UsageError("\(forAge.origin): a backup has \(AgeRecipient.limit) recipients at most")
    }
    self = .recipients(known, file: recipientsFile?.texts[0])
  }

  /// Whether the master key is in the backup.
  var holdsMasterKey: Bool { self != .masterKey }

  /// Locks a backup.
  struct Locking {
    /// Those that it is encrypted to; none where age has nothing to do with it.
    var recipients: [AgeRecipient] = []
    fileprivate var passphrase: SecretBytes?

    /// - Parameter sealer: holds the master key.
    func locked(_ backup: Backup, _ sealer: Sealer) throws(BackupError) -> [UInt8] {
      guard recipients.isEmpty else {
        return try backup.encrypted(to: recipients, keyID: sealer.keyID)
      }
      return try backup.locked(
        with: passphrase.map { .passphrase($0) } ?? .master(sealer), keyID: sealer.keyID)
    }
  }

  /// Reads the file, if there is one. Blocks.
  ///
  /// - Throws: `DaemonError`, when it cannot be read, belongs to somebody else, or does not hold what it should.
  func locking() throws(DaemonError) -> Locking {
    switch self {
    case .masterKey: return Locking()
    case .passphrase(let file): return Locking(passphrase: try Self.passphrase(file))
    case .recipients(var recipients, let file):
      guard let file else { return Locking(recipients: recipients) }
      let bytes = try PrivateFiles.readTrusted(file)
      do throws(CryptoError) {
        for recipient in try AgeRecipient.list(in: bytes) where !recipients.contains(recipient) {
          recipients.append(recipient)
        }
      } catch { throw DaemonError("\(file): \(error.message)") }
      guard recipients.count <= AgeRecipient.limit else {
        throw DaemonError(
          "\(file): with the recipients beside the file there are \(recipients.count), and a backup has "
            + "\(AgeRecipient.limit) at most")
      }
      return Locking(recipients: recipients)
    }
  }

  /// Of a passphrase, in bytes.
  private static let shortest = 12

  /// The first line of a file that its owner alone can read.
  static func passphrase(_ path: String) throws(DaemonError) -> SecretBytes {
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

  /// The identities in a file of this process' user, which nobody else can read.
  static func identities(_ path: String) throws(DaemonError) -> [AgeIdentity] {
    var bytes = try PrivateFiles.readSecret(path, isOwn: true)
    defer { bytes.wipe() }
    do throws(CryptoError) { return try AgeIdentity.list(in: bytes) } catch {
      throw DaemonError("\(path): \(error.message)")
    }
  }
}
