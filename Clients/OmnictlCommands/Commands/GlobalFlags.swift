internal import RPCTransport

/// How results are written.
enum OutputFormat: String, CaseIterable, Sendable {
  case table, json

  /// The form that a command line asks for which is not understood otherwise.
  static func sought(in arguments: [String]) -> OutputFormat {
    let line = CompletionLine(arguments + [""], root: CommandTree.root)
    return line.values[GlobalFlags.output.spec.key]?.last == json.rawValue ? .json : .table
  }
}

/// The flags that every command takes.
enum GlobalFlags {
  static let endpoint = Flag<Endpoint?>(
    "endpoint", form: .valued("URI"), environment: "OMNI_ENDPOINT",
    summary: "where omnid listens: unix:PATH, unix-abstract:NAME or tls:HOST:PORT"
  ) { values throws(InvalidValue) in
    try values.last.map { value throws(InvalidValue) in try ServerAddress.parse(value) }
  }

  static let context = Flag<String?>.text(
    "context", "NAME", completion: .contexts,
    "the context whose server and identity are used (see 'omnictl context')")

  static let output = Flag<OutputFormat>.choice(
    "output", short: "o", fallback: .table, "how results are printed")

  static let timeout = Flag<Duration>.duration(
    "timeout", fallback: .seconds(60), "how long one answer of the server may take, 0 for ever")

  static let all = [endpoint.spec, context.spec, output.spec, timeout.spec]
}
