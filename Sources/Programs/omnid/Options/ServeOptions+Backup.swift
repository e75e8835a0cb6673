import Platform

extension ServeOptions {
  /// Backups that are made while omnid serves.
  struct BackupSettings: Equatable {
    var directory: String
    var every = Duration.seconds(24 * 3600)
    /// How many are kept.
    var keep = 7
    var lock = BackupLock.masterKey
  }

  /// Those that are of no use without the first.
  static let settingsOfBackups: [Setting] = [
    .backupTo, .backupEvery, .backupKeep, .backupPassphraseFile, .backupRecipient,
    .backupRecipientsFile,
  ]

  static func backupSettings(_ values: SettingValues) throws(UsageError) -> BackupSettings? {
    guard let directory = values[.backupTo]?.texts[0] else {
      for setting in settingsOfBackups where setting != .backupTo {
        if let value = values[setting] {
          throw UsageError("\(value.origin) is of no use without --backup-to DIR")
        }
      }
      return nil
    }
    var settings = BackupSettings(directory: directory)
    settings.lock = try BackupLock(
      passphraseFile: values[.backupPassphraseFile], recipients: values[.backupRecipient],
      recipientsFile: values[.backupRecipientsFile])
    if let value = values[.backupEvery] {
      let text = value.texts[0]
      guard let time = try? GoDuration.parse(text), time >= .seconds(1),
        time <= .seconds(100_000 * 3600)
      else { throw UsageError("\(value.origin): '\(text)' is not a time such as 15m, 6h or 24h") }
      settings.every = time
    }
    if let value = values[.backupKeep] {
      guard let number = Int(value.texts[0]), (1...10_000).contains(number) else {
        throw UsageError("\(value.origin): '\(value.texts[0])' is not a number from 1 to 10000")
      }
      settings.keep = number
    }
    return settings
  }
}
