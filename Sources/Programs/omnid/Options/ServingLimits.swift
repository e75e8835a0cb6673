import Platform
import RPC
import RPCTransport

/// What callers may take of the server. Each has a default; none is without a bound but times.
struct ServingLimits: Equatable {
  var connections = 10_000
  /// Connections of one listener; nil for as many as there may be at all.
  var connectionsPerListener: Int?
  /// Connections from one source address.
  var connectionsPerSource = 1000
  /// Connections that each listener keeps from the others.
  var reservedConnections = 100
  /// Connections of one listener that do not speak HTTP/2 yet.
  var handshakes = 1000
  /// Calls at once on one connection.
  var streams = 1024
  /// The largest request message, in bytes.
  var messageBytes = 4 << 20
  /// How long a connection without calls is kept; nil for ever.
  var idle: Duration?
  /// How old a connection may become before it is drained; nil for as old as it likes.
  var age: Duration?
  /// How long its calls may then go on; nil for as long as they take.
  var ageGrace: Duration?
  /// The largest header block of a request, in bytes as RFC 9113 section 6.5.2 counts them.
  var headerBytes = 16 << 10
  /// Bytes of requests that wait to be worked on, and of responses that wait to be taken, of all
  /// connections. One connection gets an eighth.
  var requestMemory = 256 << 20
  var responseMemory = 512 << 20
  /// For TLS and the HTTP/2 preface, and for one header block.
  var handshakeTimeout = Duration.seconds(10)
  /// How long a connection may be silent, and how long it then may take to give a sign of life.
  var keepaliveInterval = Duration.seconds(7200)
  var keepaliveTimeout = Duration.seconds(20)
  /// A client that asks for signs of life more often than this, without a call, is sent away.
  var minPingInterval = Duration.seconds(300)
  /// Threads that serve; 0 for one for each processor.
  var eventLoops = 0

  /// How long a connection over TLS without a client certificate may be without calls. A client with a token makes
  /// another one for its next call.
  private static let anonymousIdle = Duration.seconds(60)

  /// What may wait of pages and metrics for such a connection: all files of the dashboard several times over.
  private static let anonymousWaitingBytes = 512 << 10

  init() {}

  init(_ values: SettingValues) throws(UsageError) {
    if let value = values[.maxConnections] { connections = try Self.number(value, 1...1_000_000) }
    if let value = values[.maxConnectionsPerListener] {
      connectionsPerListener = try Self.number(value, 1...1_000_000)
    }
    if let value = values[.maxConnectionsPerSource] {
      connectionsPerSource = try Self.number(value, 1...1_000_000)
    }
    if let value = values[.reservedConnections] {
      reservedConnections = try Self.number(value, 0...1_000_000)
    }
    if let value = values[.maxHandshakes] { handshakes = try Self.number(value, 4...1_000_000) }
    if let value = values[.maxStreams] { streams = try Self.number(value, 1...100_000) }
    if let value = values[.maxMessageSize] { messageBytes = try Self.size(value) }
    if let value = values[.maxIdle] { idle = try Self.timeOrNone(value) }
    if let value = values[.maxAge] { age = try Self.timeOrNone(value) }
    if let value = values[.maxAgeGrace] { ageGrace = try Self.timeOrNone(value) }
    if let value = values[.maxHeaderSize] {
      headerBytes = try Self.size(value, most: 1 << 20, "16KiB or 64KiB")
    }
    if let value = values[.maxRequestMemory] { requestMemory = try Self.memory(value) }
    if let value = values[.maxResponseMemory] { responseMemory = try Self.memory(value) }
    if let value = values[.handshakeTimeout] { handshakeTimeout = try Self.time(value) }
    if let value = values[.keepaliveInterval] { keepaliveInterval = try Self.time(value) }
    if let value = values[.keepaliveTimeout] { keepaliveTimeout = try Self.time(value) }
    if let value = values[.minPingInterval] { minPingInterval = try Self.time(value) }
    if let value = values[.eventLoops] { eventLoops = try Self.number(value, 0...1024) }
    // Else no request of that size could ever be taken in, with what is kept beside a message's bytes.
    guard requestMemory / 8 >= messageBytes + 1024 else {
      throw UsageError(
        "--max-request-memory: one connection gets an eighth of it, which must hold more than a message "
          + "of --max-message-size; it is \(requestMemory / 8) bytes, and that \(messageBytes)")
    }
  }

  /// What omnid needs beside connections of callers: its store, its event loops, connections to machines.
  private static let ownDescriptors = 256

  /// Lets in no more connections than the process can have open, so that a flood on one listener leaves the others what is
  /// kept for them.
  ///
  /// - Returns: whether that are fewer than was said.
  mutating func fit(descriptors: Int) -> Bool {
    let room = max(descriptors - Self.ownDescriptors, min(16, descriptors))
    guard room < connections else { return false }
    connections = room
    connectionsPerSource = min(connectionsPerSource, max(1, room / 2))
    connectionsPerListener = connectionsPerListener.map { min($0, room) }
    reservedConnections = min(reservedConnections, max(1, room / 10))
    return true
  }

  var server: ServerConfiguration {
    var configuration = ServerConfiguration()
    configuration.maxConnections = connections
    configuration.maxConnectionsPerListener = connectionsPerListener ?? connections
    configuration.maxConnectionsPerSource = connectionsPerSource
    configuration.reservedConnections = reservedConnections
    configuration.maxHandshakes = handshakes
    configuration.maxConcurrentStreams = streams
    configuration.maxIdle = idle
    configuration.maxAnonymousIdle = Self.anonymousIdle
    configuration.anonymousWaitingBytesPerConnection = Self.anonymousWaitingBytes
    configuration.maxAge = age
    configuration.maxAgeGrace = ageGrace
    configuration.maxHeaderBytes = headerBytes
    configuration.heldBytes = requestMemory
    configuration.heldBytesPerConnection = requestMemory / 8
    configuration.waitingBytes = responseMemory
    configuration.waitingBytesPerConnection = responseMemory / 8
    configuration.handshakeTimeout = handshakeTimeout
    configuration.keepaliveInterval = keepaliveInterval
    configuration.keepaliveTimeout = keepaliveTimeout
    configuration.minimumPingInterval = minPingInterval
    configuration.eventLoops = eventLoops
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

  /// What all connections may use of memory for one purpose: up to 64 GiB.
  private static func memory(_ value: SettingValues.Value) throws(UsageError) -> Int {
    try size(value, least: 1 << 20, most: 64 << 30, "64MiB or 2048MiB")
  }

  /// Bytes, or KiB and MiB.
  private static func size(
    _ value: SettingValues.Value, least: Int = 1 << 10, most: Int = 1 << 30,
    _ examples: String = "512KiB or 4MiB"
  ) throws(UsageError) -> Int {
    let text = value.texts[0]
    let (digits, unit) =
      text.hasSuffix("KiB")
      ? (text.dropLast(3), 1 << 10)
      : text.hasSuffix("MiB") ? (text.dropLast(3), 1 << 20) : (text[...], 1)
    guard let number = Int(digits), (1...most).contains(number),
      (least...most).contains(number * unit)
    else {
      throw UsageError(
        "\(value.origin): '\(text)' is not a size from \(written(least)) to \(written(most)), such "
          + "as \(examples)")
    }
    return number * unit
  }

  private static func written(_ bytes: Int) -> String {
    bytes < 1 << 20 ? "\(bytes >> 10)KiB" : "\(bytes >> 20)MiB"
  }

  private static let times = Duration.seconds(1)...Duration.seconds(100_000 * 3600)

  /// 0 is without an end.
  private static func timeOrNone(_ value: SettingValues.Value) throws(UsageError) -> Duration? {
    value.texts[0] == "0" ? nil : try time(value, ", nor 0 for none")
  }

  private static func time(
    _ value: SettingValues.Value, _ alternative: String = ""
  ) throws(UsageError) -> Duration {
    let text = value.texts[0]
    guard let time = try? GoDuration.parse(text), times.contains(time) else {
      throw UsageError(
        "\(value.origin): '\(text)' is not a time such as 90s, 5m or 1h30m\(alternative)"
      )
    }
    return time
  }
}
