import RPC
import RPCTransport

/// What callers may take of the server. Each has a default; none is without a bound but times.
struct ServingLimits: Equatable {
  var connections = 10_000
  /// Calls at once on one connection.
  var streams = 1024
  /// The largest request message, in bytes.
  var messageBytes = 4 << 20
  /// How long a connection without calls is kept; nil for ever.
  var idle: Duration?
  /// How old a connection may become before it is drained; nil for as old as it likes.
  var age: Duration?

  init() {}

  init(_ values: SettingValues) throws(UsageError) {
    if let value = values[.maxConnections] { connections = try Self.number(value, 1...1_000_000) }
    if let value = values[.maxStreams] { streams = try Self.number(value, 1...100_000) }
    if let value = values[.maxMessageSize] { messageBytes = try Self.size(value) }
    if let value = values[.maxIdle] { idle = try Self.time(value) }
    if let value = values[.maxAge] { age = try Self.time(value) }
  }

  var server: ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.maxConnections = connections
    configuration.maxConcurrentStreams = streams
    configuration.maxIdle = idle
    configuration.maxAge = age
    return configuration
  }

  var calls: CallLimits {
    var limits = CallLimits()
    limits.requestMessageBytes = messageBytes
    return limits
  }

  private static func number(
    _ value: SettingValues.Value, _ range: ClosedRange<Int>
  ) throws(UsageError) -> Int {
    let text = value.texts[0]
    guard let number = Int(text), range.contains(number) else {
      throw UsageError(
        "\(value.origin): '\(text)' is not a number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return number
  }

  /// Bytes, or KiB and MiB.
  private static func size(_ value: SettingValues.Value) throws(UsageError) -> Int {
    let text = value.texts[0]
    let (digits, unit) =
      text.hasSuffix("KiB")
      ? (text.dropLast(3), 1 << 10)
      : text.hasSuffix("MiB") ? (text.dropLast(3), 1 << 20) : (text[...], 1)
    guard let number = Int(digits), (1...1 << 30).contains(number), number * unit >= 1 << 10,
      number * unit <= 1 << 30
    else {
      throw UsageError(
        "\(value.origin): '\(text)' is not a size from 1KiB to 1024MiB, such as 512KiB or 4MiB")
    }
    return number * unit
  }

  /// A whole number of seconds, minutes or hours; 0 is without an end.
  private static func time(_ value: SettingValues.Value) throws(UsageError) -> Duration? {
    let text = value.texts[0]
    if text == "0" { return nil }
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()),
      (1...100_000).contains(number)
    else {
      throw UsageError(
        "\(value.origin): '\(text)' is not a time such as 90s, 5m or 2h, nor 0 for none")
    }
    return .seconds(number * unit)
  }
}
