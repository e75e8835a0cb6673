import RPC
import RPCTransport
import Schema
import Synchronization

@testable import OmnictlCommands

/// Runs commands against a fake service and keeps what they print.
final class Bench: Sendable {
  let output = Recorder()
  let errors: Recorder
  let signals = FakeSignals()
  private let service: FakeService
  private let screen: Recorder?
  private let variables: [String: String]
  private let answer: String?
  private let dialled = Mutex<[Target]>([])

  /// - Parameters:
  ///   - errorColumns: how wide the terminal of standard error is; nil: it is none.
  ///   - answer: what somebody at the terminal types when asked; nil: nobody sits there.
  init(
    _ service: FakeService = FakeService(), screen: Bool = false, variables: [String: String] = [:],
    errorColumns: Int? = nil, answer: String? = nil
  ) {
    self.answer = answer
    errors = Recorder(columns: errorColumns)
    self.service = service
    self.screen = screen ? output : nil
    self.variables = variables
  }

  /// Where the commands have connected to.
  var endpoints: [Endpoint] { targets.map(\.endpoint) }

  /// The same, with what they have shown there.
  var targets: [Target] { dialled.withLock { $0 } }

  private var ask: (@Sendable (String) -> String?)? {
    guard let answer else { return nil }
    return { [output] question in
      output.write(question)
      return answer
    }
  }

  func run(_ line: String...) async -> ExitCode { await run(line) }

  func run(_ line: [String], output: (any TextSink)? = nil) async -> ExitCode {
    let router = service.router
    let surroundings = Surroundings(
      variable: { [variables] in variables[$0] }, userID: 1000, output: output ?? self.output,
      errors: errors,
      screen: screen, ask: ask, now: { Samples.now }, uptime: { .zero },
      connect: { [self] (target) throws(RPCError) in
        dialled.withLock { $0.append(target) }
        return InProcessChannel(router)
      },
      signals: signals)
    return await Omnictl.run(line, surroundings)
  }
}

/// Keeps what is written; as a screen, 80 by 24.
final class Recorder: Screen {
  private let written = Mutex("")
  private let foreground = Mutex(true)
  let columns: Int?

  init(columns: Int? = nil) { self.columns = columns }

  let size = ScreenSize(columns: 80, rows: 24)
  let style = ScreenStyle.plain

  var isForeground: Bool { foreground.withLock { $0 } }

  func moves(toForeground isForeground: Bool) { foreground.withLock { $0 = isForeground } }

  func write(_ text: String) { written.withLock { $0 += text } }

  var text: String { written.withLock { $0 } }

  var lines: [String] { text.split(separator: "\n").map(String.init) }
}

final class FakeSignals: SignalSource {
  private let listener = Mutex<(any SignalListener)?>(nil)

  func listen(_ listener: (any SignalListener)?) { self.listener.withLock { $0 = listener } }

  var current: (any SignalListener)? { listener.withLock { $0 } }
}
