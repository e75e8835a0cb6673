/// Writes the log: one line per event.
///
/// Who logs keeps secrets out: no key, no credential, no configuration.
public struct Logger: Sendable {
  public let level: LogLevel
  private let format: LogFormat
  private let write: @Sendable (String) -> Void
  private let now: @Sendable () -> String

  /// - Parameters:
  ///   - level: what matters less is left out.
  ///   - write: takes a whole line with its line feed. Standard error, unless given.
  ///   - now: the time, as it shall stand in the line.
  public init(
    level: LogLevel = .info, format: LogFormat = .text,
    write: @escaping @Sendable (String) -> Void = { StandardStream.error.write($0) },
    now: @escaping @Sendable () -> String = { WallClock.timestamp() }
  ) {
    self.level = level
    self.format = format
    self.write = write
    self.now = now
  }

  public func log(
    _ level: LogLevel, _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
  ) {
    guard level >= self.level else { return }
    let line = LogLine(
      time: now(), level: level, message: message(),
      fields: fields().map { (name: $0.key, value: $0.value) })
    write(line.written(as: format))
  }

  public func debug(
    _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
  ) { log(.debug, message(), fields()) }

  public func info(
    _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
  ) { log(.info, message(), fields()) }

  public func warning(
    _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
  ) { log(.warning, message(), fields()) }

  public func error(
    _ message: @autoclosure () -> String,
    _ fields: @autoclosure () -> KeyValuePairs<String, LogValue> = [:]
  ) { log(.error, message(), fields()) }
}
