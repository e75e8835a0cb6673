/// How much a line in the log matters, the least first.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
  /// For whoever looks for a fault: every call.
  case debug
  /// What was done, and for whom.
  case info
  /// Something stands in the way and will be tried again.
  case warning
  /// Something did not work and somebody has to look at it.
  case error

  /// `debug`, `info`, `warning` or `error`.
  public var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }

  /// Nil for any other name.
  public init?(name: String) {
    guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = level
  }

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// How a line in the log is written.
public enum LogFormat: String, Sendable, CaseIterable {
  /// For people: time, level, message, then `name=value`.
  case text
  /// For programs: one JSON object per line.
  case json
}

/// What stands beside a message in the log.
public enum LogValue: Sendable, Hashable, ExpressibleByStringInterpolation,
  ExpressibleByIntegerLiteral
{
  case string(String)
  case integer(Int64)

  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int64) { self = .integer(value) }
}
