internal import RPC
internal import RPCTransport
internal import Schema

/// What a command needs of the machine it runs on; tests put others in their place.
struct Surroundings: Sendable {
  /// An environment variable.
  var variable: @Sendable (String) -> String?
  /// The effective user.
  var userID: UInt32
  var output: any TextSink
  var errors: any TextSink
  /// Standard output, when it is a terminal that can be drawn on.
  var screen: (any Screen)?
  /// Asks the person at the terminal and waits for the line that is typed; nil from it: the input has ended. Nil
  /// where nobody can be asked, because the input or the output is no terminal.
  var ask: (@Sendable (_ question: String) -> String?)?
  /// The wall clock, for what expires at a date.
  var now: @Sendable () -> Timestamp
  /// A clock that only goes forward, for what lasts.
  var uptime: @Sendable () -> Duration
  /// A way to a server, with what is shown there in its handshake.
  var connect: @Sendable (Target) throws(RPCError) -> any ClientChannel
  /// Tells of signals while something is on the screen.
  var signals: any SignalSource
}

/// Where text goes.
protocol TextSink: Sendable {
  func write(_ text: String)
  /// How wide the terminal is that the text goes to; nil where there is none, and nothing is broken
  /// into lines.
  var columns: Int? { get }
  /// Why something that was written did not arrive; nil when all did.
  var failure: String? { get }
}

extension TextSink {
  var columns: Int? { nil }
  var failure: String? { nil }
}

/// A terminal that can be drawn on.
protocol Screen: TextSink {
  var size: ScreenSize { get }
  /// Whether the process is the one that the terminal belongs to, and not one in the background.
  var isForeground: Bool { get }
  var style: ScreenStyle { get }
}

extension Screen {
  var isForeground: Bool { true }
}

/// A terminal's size in characters.
struct ScreenSize: Equatable, Sendable {
  var columns: Int
  var rows: Int
}

/// What a terminal can show.
struct ScreenStyle: Equatable, Sendable {
  var hasColor: Bool
  var hasUnicode: Bool

  static let plain = ScreenStyle(hasColor: false, hasUnicode: true)
}

/// What happens to the process while something is on the screen.
protocol SignalSource: Sendable {
  /// Who is told of signals from now on; nil: nobody.
  func listen(_ listener: (any SignalListener)?)
}

/// Called on a thread of its own.
protocol SignalListener: Sendable {
  func windowChanged()
  /// The process is about to end, or to be stopped.
  func leaving(isStop: Bool)
  /// It goes on after all.
  func continued()
}
