import Daemon
import Orchestrator
import Rotation
import SQLiteStore
import Synchronization

/// Makes backups again and again, and keeps the newest of them.
final class BackupSchedule: Sendable {
  private let settings: ServeOptions.BackupSettings
  private let making: BackupMaking
  private let logger: Logger
  private let thread = BlockingThread(label: "omnid.backup")
  private let state = Mutex((lastSuccess: Instant?.none, failures: 0))

  /// A backup that could not be made is tried again after this time, or after the schedule's if that is shorter.
  private static let retry = Duration.seconds(15 * 60)

  init(_ settings: ServeOptions.BackupSettings, _ options: ServeOptions, logger: Logger) {
    self.settings = settings
    making = BackupMaking(
      storePath: options.storePath, masterKey: options.masterKey, lock: settings.lock)
    self.logger = logger
  }

  /// When a backup was last made by this process, and how often none could be.
  var record: (lastSuccess: Instant?, failures: Int) { state.withLock { $0 } }

  /// Makes them until the task is cancelled. The first one is due when the newest in the directory is old enough.
  func run() async {
    let newest: Instant? = try? await thread.run { () throws -> Instant? in self.newest() }
    var due = newest.map { $0.advanced(by: settings.every) } ?? Self.now()
    while !Task.isCancelled {
      // A clock that was ahead must not put the next one off.
      due = min(due, Self.now().advanced(by: settings.every))
      let left = Self.now().duration(to: due)
      if left > .zero {
        // At most a minute at a time: the clock may be set meanwhile.
        guard (try? await Task.sleep(for: min(left, .seconds(60)))) != nil else { return }
        continue
      }
      let isMade = await makeOne()
      due = Self.now().advanced(by: isMade ? settings.every : min(settings.every, Self.retry))
    }
  }

  private func makeOne() async -> Bool {
    let now = Self.now()
    let path = "\(settings.directory)/\(Self.name(now))"
    do {
      let made = try await thread.run { [making, settings] in
        try PrivateFiles.makeDirectory(settings.directory)
        return try making.write(to: path)
      }
      state.withLock { $0.lastSuccess = now }
      var fields: LogFields = [
        .file: .string(path), .bytes: .integer(Int64(made.bytes)),
        .clusters: .integer(Int64(made.contents.clusters.count)),
        .revision: .integer(Int64(clamping: made.contents.revision)),
      ]
      if !made.recipients.isEmpty {
        fields[.recipients] = .string(made.recipients.map { "\($0)" }.joined(separator: " "))
      }
      logger.info("backed up", fields)
      await thread.run { [self] in prune(but: Self.name(now)) }
      return true
    } catch {
      state.withLock { $0.failures += 1 }
      logger.error(
        "no backup can be made",
        [.file: .string(path), .error: .string(explanation(of: error))])
      return false
    }
  }

  /// Removes all but the newest.
  ///
  /// - Parameter made: the one that was made just now, whatever the others' names say.
  private func prune(but made: String) {
    for name in files().filter({ $0 != made }).dropLast(settings.keep - 1) {
      PrivateFiles.remove("\(settings.directory)/\(name)")
      logger.info("removed an old backup", [.file: .string("\(settings.directory)/\(name)")])
    }
  }

  /// The names of the schedule's files, the oldest first. Nothing else in the directory is touched.
  private func files() -> [String] {
    ((try? PrivateFiles.names(in: settings.directory)) ?? []).filter(Self.isName).sorted()
  }

  private func newest() -> Instant? {
    files().compactMap { PrivateFiles.stamp("\(settings.directory)/\($0)")?.first }
      .map { Instant(secondsSince1970: $0) }.filter { $0 <= Self.now() }.max()
  }

  private static func now() -> Instant {
    Instant(nanosecondsSince1970: WallClock.nanosecondsSince1970())
  }

  /// `omnid-20261123T174258Z.backup`: names sort as times do.
  static func name(_ time: Instant) -> String {
    "omnid-\(time.description.filter { $0 != "-" && $0 != ":" }).backup"
  }

  static func isName(_ name: String) -> Bool {
    name.wholeMatch(of: /omnid-[0-9]{8}T[0-9]{6}Z\.backup/) != nil
  }
}
