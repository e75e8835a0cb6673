internal import Glibc

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
    write: @escaping @Sendable (String) -> Void = Logger.standardError,
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

  /// Writes a line with one system call, so that lines of several threads do not mix. A line that
  /// cannot be written is lost: the log holds nothing up.
  public static let standardError: @Sendable (String) -> Void = { line in
    var line = line
    line.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while rest.count > 0 {
        let written = unsafe Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { return }
        unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
      }
    }
  }
}
