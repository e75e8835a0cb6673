/// The help texts, made from the tree of commands.
enum Help {
  /// The command as it is typed, without flags: `omnictl cluster get`.
  static func name(_ path: [CommandSpec]) -> String {
    path.map(\.name).joined(separator: " ")
  }

  /// What `--help` prints for the last command of the path.
  ///
  /// - Parameter columns: of the terminal; nil where there is none.
  static func text(_ path: [CommandSpec], columns terminal: Int? = nil) -> String {
    let columns = min(widest, terminal.map { $0 - 1 } ?? widest)
    func list(_ title: String, _ rows: [(String, String)]) -> String {
      Self.list(title, rows, columns: columns)
    }
    let command = path[path.count - 1]
    let about = filled("\(command.summary).", columns: columns)
    var sections = ["\(about)\n", "Usage:\n  \(usage(path))\n"]
    if !command.discussion.isEmpty {
      sections.append(filled(command.discussion, columns: columns) + "\n")
    }
    sections.append("Examples:\n" + command.examples.map { "  \($0)\n" }.joined())
    if !command.arguments.isEmpty {
      sections.append(list("Arguments", command.arguments.map { ($0.name, $0.summary) }))
    }
    if !command.subcommands.isEmpty {
      sections.append(list("Commands", command.subcommands.map { ($0.name, $0.summary) }))
    }
    var own = command.flags.map { ($0.usage, summary($0)) }
    for group in path.dropFirst().dropLast() where command.clusterFlag != .refused {
      own += group.flags.map { ($0.usage, summary($0)) }
    }
    if path.count == 1 {
      sections.append(list("Flags", own + [helpFlag, versionFlag]))
    } else {
      if !own.isEmpty { sections.append(list("Flags", own)) }
      sections.append(
        list("Global flags", path[0].flags.map { ($0.usage, summary($0)) } + [helpFlag]))
    }
    if !command.subcommands.isEmpty {
      sections.append("'\(name(path)) COMMAND --help' says more about a command.\n")
    }
    return sections.joined(separator: "\n")
  }

  /// How wide help is at most.
  private static let widest = 100

  /// The text with its paragraphs broken anew. What is laid out, with indentation or in columns, stays as it is.
  private static func filled(_ text: String, columns: Int) -> String {
    text.split(separator: "\n\n").map { paragraph in
      let isLaidOut = paragraph.contains("  ") || paragraph.contains("\n ")
      guard !isLaidOut, columns < widest else { return String(paragraph) }
      return DisplayWidth.wrap(String(paragraph).replacing("\n", with: " "), to: max(20, columns))
        .joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private static let helpFlag = ("-h, --help", "show this help")

  private static let versionFlag = (
    "    --version", "show the versions of omnictl and of the server"
  )

  private static func usage(_ path: [CommandSpec]) -> String {
    let command = path[path.count - 1]
    var words: [String] = []
    for step in path {
      words.append(step.name)
      if command.clusterFlag == .required, !step.flags.isEmpty, step.name == ClusterGroup.word {
        words.append("-n NAME")
      }
    }
    if command.subcommands.isEmpty {
      words += command.arguments.map { $0.isOptional ? "[\($0.name)]" : $0.name }
      words.append("[flags]")
    } else {
      words.append("COMMAND")
    }
    return words.joined(separator: " ")
  }

  private static func summary(_ flag: FlagSpec) -> String {
    var notes: [String] = []
    if let fallback = flag.fallback { notes.append("default \(fallback)") }
    if let variable = flag.environment { notes.append("environment \(variable)") }
    return notes.isEmpty ? flag.summary : "\(flag.summary) (\(notes.joined(separator: ", ")))"
  }

  private static func list(
    _ title: String, _ rows: [(String, String)], columns: Int
  ) -> String {
    let width = rows.map { DisplayWidth.of($0.0) }.max() ?? 0
    let lines = rows.flatMap { name, summary in
      let broken = DisplayWidth.wrap(summary, to: max(20, columns - width - 4))
      return broken.enumerated().map { index, text in
        "  \(DisplayWidth.pad(index == 0 ? name : "", to: width))  \(text)\n"
      }
    }
    return "\(title):\n" + lines.joined()
  }
}
