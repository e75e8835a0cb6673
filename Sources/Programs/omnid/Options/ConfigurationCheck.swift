import AccessControl
import Crypto
import Daemon
import Notifications
import RPCTransport

extension ServeOptions {
  /// Everything that is wrong with what `omnid serve` would be told, a line each, in the order in which it is read:
  /// flags, environment, file, and then the settings that count.
  ///
  /// - Parameter readFile: reads the configuration file, if one is named.
  static func problems(
    _ arguments: [String], _ facts: ProcessFacts,
    readFile: (String) throws(UsageError) -> [UInt8]
  ) -> [String] {
    var problems: [String] = []
    func collect(_ body: () throws(UsageError) -> Void) {
      do throws(UsageError) { try body() } catch {
        if !problems.contains(error.message) { problems.append(error.message) }
      }
    }
    var values = SettingValues()
    collect { () throws(UsageError) in values = try SettingValues.flags(arguments) }
    collect { () throws(UsageError) in
      values.fill(from: try SettingValues.variables(facts.environment))
    }
    if let path = values[.config]?.texts[0] {
      collect { () throws(UsageError) in
        var wrong: [UsageError] = []
        values.fill(from: try SettingValues.file(try readFile(path), path: path, wrong: &wrong))
        problems += wrong.map(\.message)
      }
    }
    // Each setting alone first, because one that is wrong must not hide another.
    for group in Self.groups {
      collect { () throws(UsageError) in
        _ = try ServeOptions(values.only(group + [.stateDirectory]), facts)
      }
    }
    guard problems.isEmpty else { return problems }
    collect { () throws(UsageError) in
      let options = try ServeOptions(values, facts)
      if case .given(let path) = options.masterKey {
        do throws(CryptoError) { _ = try MasterKeyFile.load(path) } catch {
          throw UsageError("\(values[.masterKeyFile]?.origin ?? path): \(error.message)")
        }
      }
    }
    if let value = values[.backupRecipientsFile] {
      collect { () throws(UsageError) in
        let lock = try ServeOptions(values, facts).backup?.lock
        do throws(DaemonError) { _ = try lock?.locking() } catch {
          throw UsageError("\(value.origin): \(error.message)")
        }
      }
    }
    if let value = values[.trustBundleDirectory] {
      collect { () throws(UsageError) in
        do throws(DaemonError) { try PublishedFolder(value.texts[0]).check() } catch {
          throw UsageError("\(value.origin): \(error.message)")
        }
      }
    }
    if let value = values[.notifyFile] {
      collect { () throws(UsageError) in
        do throws(NotificationError) { _ = try NotificationSettings.read(value.texts[0]) } catch {
          throw UsageError("\(value.origin): \(error.message)")
        }
      }
    }
    if let value = values[.beforeStageDirectory] {
      collect { () throws(UsageError) in
        do throws(DaemonError) {
          for name in try StageHookDirectory.programs(in: value.texts[0]) {
            try PrivateFiles.checkProgram("\(value.texts[0])/\(name)")
          }
        } catch { throw UsageError("\(value.origin): \(error.message)") }
      }
    }
    collect { () throws(UsageError) in
      guard let tls = try ServeOptions(values, facts).tls else { return }
      do { try RemoteAccess.check(tls) } catch {
        let origin = (values[.tlsCertificate] ?? values[.tlsClientCA])?.origin ?? "--tls-cert"
        throw UsageError("\(origin): \((error as? CryptoError)?.message ?? "\(error)")")
      }
    }
    return problems
  }

  /// The settings that are judged together.
  private static var groups: [[Setting]] {
    let tls: [Setting] = [.listen, .tlsName, .tlsCertificate, .tlsKey, .tlsClientCA]
    let backup = settingsOfBackups
    let hooks: [Setting] = [.beforeStageDirectory, .hookTimeout]
    let alone = Setting.allCases.filter { $0 != .config && !(tls + backup + hooks).contains($0) }
    return [[.listen], tls, hooks] + backup.map { [.backupTo, $0] } + [backup] + alone.map { [$0] }
  }
}

/// What has to be done for what a configuration says after it was changed.
struct ConfigurationChange: Equatable {
  /// The new level, if it is another one.
  var logLevel: LogLevel?
  /// What the tls: listeners are told now, if there are such listeners before and after.
  var tls: ServeOptions.TLSSettings?
  /// How long a hook may take from now on, if there are hooks before and after.
  var hookTimeout: Duration?
  /// The settings that hold after a restart, by their flags.
  var afterRestart: [String] = []

  /// - Parameters:
  ///   - told: what omnid was started with.
  ///   - level: the level that holds.
  init(from told: ServeOptions, level: LogLevel, to new: ServeOptions) {
    if new.logLevel != level { logLevel = new.logLevel }
    if told.tls != nil { tls = new.tls }
    // Who is let in by omnid's own CA is decided at the start: other CAs instead of it, or it instead of others, are not
    // taken over by half.
    if let was = told.tls, let now = new.tls, (was.clientCA == nil) != (now.clientCA == nil) {
      tls?.clientCA = was.clientCA
      afterRestart.append(Setting.tlsClientCA.flag)
    }
    func compare<Value: Equatable>(_ flag: Setting, _ value: (ServeOptions) -> Value) {
      if value(told) != value(new) { afterRestart.append(flag.flag) }
    }
    compare(.listen) { $0.listen.map(\.description) }
    compare(.stateDirectory) { $0.stateDirectory }
    compare(.store) { $0.storePath }
    compare(.masterKeyFile) { $0.masterKey }
    compare(.socketMode) { $0.socket.mode }
    compare(.socketGroup) { $0.socket.group }
    compare(.tlsName) { $0.tls?.names }
    compare(.logFormat) { $0.logFormat }
    compare(.trustBundleDirectory) { $0.trustBundleDirectory }
    compare(.beforeStageDirectory) { $0.hooks?.directory }
    if told.hooks != nil { hookTimeout = new.hooks?.timeout }
    if told.backup != new.backup { afterRestart.append("those of backups") }
    if told.limits != new.limits { afterRestart.append("the limits of callers") }
  }
}
