internal import Glibc

/// A question to whoever sits at the terminal.
enum TerminalQuestion {
  /// Nil unless standard input and standard output are terminals: a script is never asked.
  static var ask: (@Sendable (String) -> String?)? {
    guard isatty(STDIN_FILENO) == 1, StandardStream.output.isTerminal else { return nil }
    return { question in
      StandardStream.output.write(question)
      return readLine()
    }
  }
}
