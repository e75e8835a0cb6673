internal import Glibc
internal import RPC
internal import RPCTransport

/// The program `omnictl`.
public enum Omnictl {
  /// Runs the command of the process' arguments and ends the process with its exit code.
  public static func main() -> Never {
    let signals = ProcessSignals()
    let variable: @Sendable (String) -> String? = { name in
      getenv(name).map { String(cString: $0) }
    }
    let surroundings = Surroundings(
      variable: variable, userID: geteuid(), output: StandardStream.output,
      errors: StandardStream.errors,
      screen: TerminalScreen(StandardStream.output, variable: variable), ask: TerminalQuestion.ask,
      now: WallClock.now,
      uptime: Uptime.now,
      connect: { (target) throws(RPCError) in
        var configuration = ChannelConfiguration()
        configuration.connectTimeout = .seconds(5)
        configuration.backoff = .eager
        return try SocketChannel(
          target.endpoint, tls: target.tls, serverName: target.serverName,
          configuration: configuration)
      },
      signals: signals)
    let arguments = Array(CommandLine.arguments.dropFirst())
    signals.run { exit(await run(arguments, surroundings).rawValue) }
  }

  /// Runs one command; every failure ends on standard error and as an exit code.
  static func run(_ arguments: [String], _ surroundings: Surroundings) async -> ExitCode {
    if arguments.first == CompletionAnswer.word {
      surroundings.output.write(
        await CompletionAnswer.text(Array(arguments.dropFirst()), surroundings))
      return .done
    }
    // Known for certain only when the command line is understood; a mistake on it is told in this form too.
    var format = OutputFormat.sought(in: arguments)
    do throws(CommandError) {
      let root = CommandTree.root
      switch try CommandParser.parse(arguments, root: root, environment: surroundings.variable) {
      case .help(let path):
        surroundings.output.write(Help.text(path, columns: surroundings.output.columns))
      case .run(let invocation):
        guard let action = invocation.command.action else { return .wrongUsage }
        format = invocation[GlobalFlags.output]
        try await action(try Session(invocation, surroundings))
      }
      if let failure = surroundings.output.failure {
        throw CommandError(
          .failed, "the output could not be written: \(failure)",
          hint: "what it was written to is not complete")
      }
      return .done
    } catch {
      let lines =
        format == .json ? [error.json] : error.lines(columns: surroundings.errors.columns)
      surroundings.errors.write(lines.map { $0 + "\n" }.joined())
      return error.code
    }
  }
}
