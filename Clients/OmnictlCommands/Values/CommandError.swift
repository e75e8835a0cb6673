/// Why a command did not do what it was asked.
struct CommandError: Error, Equatable {
  var code: ExitCode
  /// What went wrong.
  var message: String
  /// What to do next; empty when the message says it.
  var hint: String
  /// The name of the server's status code, as in `FAILED_PRECONDITION`; empty when no server spoke.
  var status: String
  /// What stands in the way, one by one, when the server has named it.
  var findings: [Finding]

  /// One violation of `google.rpc.PreconditionFailure`.
  struct Finding: Equatable, Sendable {
    /// In capitals: `FOREIGN_CA`.
    var type: String
    /// What it is about, as the server calls it: a machine, or the cluster.
    var subject: String
    /// The machine that it is about; nil when it is about the cluster.
    var machine: String?
    var description: String
  }

  init(
    _ code: ExitCode, _ message: String, hint: String = "", status: String = "",
    findings: [Finding] = []
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.status = status
    self.findings = findings
  }
}

extension CommandError {
  /// All of it as one line, as a reader of logs has it.
  var line: String {
    let text = hint.isEmpty ? message : "\(message); \(hint)"
    return "omnictl: \(Printable.line(text))"
  }

  /// What standard error gets: one line; with several findings one line for each, and what to do at
  /// the end, broken at the terminal's width and never cut. A single line is left to the terminal,
  /// because the commands in it are there to be copied.
  func lines(columns: Int?) -> [String] {
    guard findings.count > 1 else { return [line] }
    var lines = Paragraph.lines("omnictl: \(message)", hanging: 2, columns: columns)
    for group in FindingGroup.groups(findings) {
      lines += Paragraph.lines(group.text, indent: 2, hanging: 2, columns: columns)
    }
    if !hint.isEmpty {
      lines += Paragraph.lines("omnictl: \(hint)", hanging: 2, columns: columns)
    }
    return lines
  }

  /// The same as one JSON object, for `-o json`.
  var json: String {
    let findings = findings.map { finding in
      JSONDocument.object([
        ("type", JSONDocument.string(finding.type)),
        ("subject", JSONDocument.string(finding.subject)),
        ("description", JSONDocument.string(finding.description)),
      ])
    }
    let error = JSONDocument.object([
      ("code", JSONDocument.string(status)), ("exitCode", "\(code.rawValue)"),
      ("message", JSONDocument.string(message)), ("hint", JSONDocument.string(hint)),
      ("findings", "[\(findings.joined(separator: ","))]"),
    ])
    return JSONDocument.object([("error", error)])
  }
}
