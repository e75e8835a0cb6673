internal import Synchronization

/// Writes the log: one line per event.
///
/// Who logs keeps secrets out: no key, no credential, no configuration.
public struct Logger: Sendable {
  /// Shared by all copies, so that a change holds for all of them.
  private final class Threshold: Sendable {
    let level: Atomic<Int>
    init(_ level: LogLevel) { self.level = Atomic(level.rawValue) }
  }

  private let threshold: Threshold
  private let format: LogFormat
  private let write: (@Sendable (String) -> Void)?
  private let now: @Sendable () -> String

  /// - Parameters:
  ///   - level: what matters less is left out.
  ///   - write: takes a whole line with its line feed. Standard error, unless given, which never holds up
  ///     who logs.
  ///   - now: the time, as it shall stand in the line.
  public init(
    level: LogLevel = .info, format: LogFormat = .text,
    write: (@Sendable (String) -> Void)? = nil,
    now: @escaping @Sendable () -> String = { WallClock.timestamp() }
  ) {
    threshold = Threshold(level)
    self.format = format
    self.write = write
    self.now = now
  }

  /// What matters less is left out. A new level holds for every copy of the logger.
  public var level: LogLevel {
    get { LogLevel(rawValue: threshold.level.load(ordering: .relaxed)) ?? .info }
    nonmutating set { threshold.level.store(newValue.rawValue, ordering: .relaxed) }
  }

  public func log(
    _ level: LogLevel, _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> LogFields = [:]
  ) {
    guard level >= self.level else { return }
    let line = self.line(level, message(), fields())
    if let write { return write(line) }
    LogStream.standard.write(line) { lost in
      self.line(.warning, "log lines were lost: nobody read them", [.lines: .integer(Int64(lost))])
    }
  }

  private func line(
    _ level: LogLevel, _ message: String, _ fields: LogFields
  ) -> String {
    LogLine(
      time: now(), level: level, message: message,
      fields: fields
    ).written(as: format)
  }

  public func debug(
    _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> LogFields = [:]
  ) { log(.debug, message(), fields()) }

  public func info(
    _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> LogFields = [:]
  ) { log(.info, message(), fields()) }

  public func warning(
    _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> LogFields = [:]
  ) { log(.warning, message(), fields()) }

  public func error(
    _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> LogFields = [:]
  ) { log(.error, message(), fields()) }
}
