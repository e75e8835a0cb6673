/// Why a command did not do what it was asked.
struct CommandError: Error, Equatable {
  var code: ExitCode
  /// What went wrong.
  var message: String
  /// What to do next; empty when the message says it.
  var hint: String

  init(_ code: ExitCode, _ message: String, hint: String = "") {
    self.code = code
    self.message = message
    self.hint = hint
  }

  /// The one line that standard error gets.
  var line: String {
    let text = hint.isEmpty ? message : "\(message); \(hint)"
    return "omnictl: \(Printable.line(text))"
  }
}
