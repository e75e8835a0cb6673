import Daemon

/// Brings into force what has changed in the configuration and can hold without a restart.
struct ConfigurationReload: Sendable {
  /// What omnid was started with.
  let told: ServeOptions
  let logger: Logger
  /// Reads flags, environment and file again.
  let read: @Sendable () throws(UsageError) -> ServeOptions

  /// A configuration that is wrong changes nothing, but the files of tls: listeners and the one of targets are read again.
  func run(_ remote: RemoteAccess?, _ hooks: StageHookDirectory?, _ notifier: Notifier) {
    logger.info("reading the configuration again, because of SIGHUP")
    let new: ServeOptions
    do throws(UsageError) { new = try read() } catch {
      logger.error(
        "the configuration cannot be used: what held before stays in force",
        [.error: .string(error.message)])
      remote?.reload(isForced: true)
      notifier.reload()
      return
    }
    let change = ConfigurationChange(from: told, level: logger.level, to: new)
    if let level = change.logLevel {
      // Said at whichever of the two levels lets it be read.
      logger.info("the log level changes", [.logLevel: .string(level.name)])
      logger.level = level
      logger.info("the log level has changed", [.logLevel: .string(level.name)])
    }
    if let timeout = change.hookTimeout { hooks?.change(timeout: timeout) }
    remote?.reload(isForced: true, change.tls)
    notifier.reload(from: new.notifyFile)
    if !change.afterRestart.isEmpty {
      logger.warning(
        "some settings have changed that hold after a restart of omnid",
        [.settings: .string(change.afterRestart.joined(separator: " "))])
    }
  }
}
