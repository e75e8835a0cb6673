/// Reads a command line against the tree of commands.
///
/// Flags may stand anywhere after the command that declares them, hence global ones anywhere;
/// `--` ends them. `--flag value`, `--flag=value`, `-f value`, `-fvalue`, `-f=value`; a switch takes
/// its value only as `--flag=value`. The last one counts.
struct CommandParser {
  enum Outcome: Sendable {
    case run(Invocation)
    /// Help on the last command of the path.
    case help([CommandSpec])
  }

  private var path: [CommandSpec]
  private var values: [String: [String]] = [:]
  private var arguments: [String] = []
  private var helpWanted = false
  private var versionWanted = false
  private var rest: ArraySlice<String>

  private init(root: CommandSpec, arguments: [String]) {
    path = [root]
    rest = arguments[...]
  }

  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - environment: what flags with an environment variable fall back to.
  /// - Throws: `.wrongUsage`, with a line that says what to write instead.
  static func parse(
    _ arguments: [String], root: CommandSpec, environment: (String) -> String?
  ) throws(CommandError) -> Outcome {
    var parser = CommandParser(root: root, arguments: arguments)
    try parser.readAll()
    if parser.helpWanted { return .help(parser.path) }
    if parser.versionWanted {
      // As `version` of the same flags; words that were given besides are not looked at.
      parser.path = [root, VersionCommand.command]
      parser.arguments = []
    }
    return .run(try parser.invocation(environment))
  }

  private var command: CommandSpec { path[path.count - 1] }
  private var flags: [FlagSpec] { path.flatMap(\.flags) }

  // MARK: Reading

  private mutating func readAll() throws(CommandError) {
    var onlyArguments = false
    while let token = rest.popFirst() {
      if onlyArguments || token == "-" || !token.hasPrefix("-") {
        try readWord(token)
      } else if token == "--" {
        onlyArguments = true
      } else if token.hasPrefix("--") {
        try readLong(token.dropFirst(2))
      } else {
        try readShort(token.dropFirst())
      }
    }
  }

  private mutating func readWord(_ word: String) throws(CommandError) {
    if path.count == 1 && word == "help" {
      helpWanted = true
    } else if command.subcommands.isEmpty {
      arguments.append(word)
    } else if let next = command.subcommands.first(where: { $0.name == word }) {
      path.append(next)
    } else {
      throw unknown(
        "command '\(word)'", Suggestion.nearest(to: word, among: command.subcommands.map(\.name)))
    }
  }

  private mutating func readLong(_ text: Substring) throws(CommandError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    if name == "help" {
      helpWanted = true
      return
    }
    if name == "version", path.count == 1 {
      versionWanted = true
      return
    }
    // The command's own flag goes before one of the same name above it.
    guard let flag = flags.last(where: { $0.name == name }) else {
      let near = Suggestion.nearest(
        to: name, among: flags.map(\.name) + ["help"] + (path.count == 1 ? ["version"] : []))
      throw unknown("flag '--\(name)'", near.map { "--\($0)" })
    }
    try take(flag, inline: parts.count == 2 ? String(parts[1]) : nil)
  }

  private mutating func readShort(_ text: Substring) throws(CommandError) {
    var letters = text
    while let letter = letters.popFirst() {
      if letter == "h" {
        helpWanted = true
        continue
      }
      guard let flag = flags.first(where: { $0.short == letter }) else {
        throw unknown("flag '-\(letter)'", nil)
      }
      if letters.first == "=" {
        return try take(flag, inline: String(letters.dropFirst()))
      }
      if flag.form == .switched {
        try take(flag, inline: nil)
      } else {
        return try take(flag, inline: letters.isEmpty ? nil : String(letters))
      }
    }
  }

  private mutating func take(_ flag: FlagSpec, inline: String?) throws(CommandError) {
    var value = inline
    if value == nil {
      switch flag.form {
      case .switched: value = "true"
      case .valued:
        if let next = rest.first, !isFlag(next) { value = rest.popFirst() }
      }
    }
    guard let value else { throw usage("\(flag.title) needs a value") }
    values[flag.key, default: []].append(value)
  }

  /// Whether a word would be read as one of the flags; other words that begin with `-` are values.
  private func isFlag(_ word: String) -> Bool {
    if word == "--" || word == "-h" || word == "--help" { return true }
    return flags.contains { flag in
      word == "--\(flag.name)" || word.hasPrefix("--\(flag.name)=")
        || flag.short.map { word == "-\($0)" } ?? false
    }
  }

  // MARK: Checking

  private func invocation(_ environment: (String) -> String?) throws(CommandError) -> Invocation {
    guard command.action != nil else {
      let names = command.subcommands.map(\.name).joined(separator: ", ")
      throw usage("'\(Help.name(path))' needs one of the commands \(names)")
    }
    var values = self.values
    for flag in flags {
      var title = flag.title
      if values[flag.key] == nil, !command.isLocal, let variable = flag.environment,
        let value = environment(variable), !value.isEmpty
      {
        values[flag.key] = [value]
        title = variable
      }
      do throws(InvalidValue) { try flag.check(values[flag.key] ?? []) } catch {
        throw usage("\(title) \(error.reason)", error.suggestion)
      }
    }
    return Invocation(
      path: path, values: values, given: Set(self.values.keys), arguments: try named(values))
  }

  /// The arguments by name; a cluster's name may come by flag instead.
  private func named(_ values: [String: [String]]) throws(CommandError) -> [String: String] {
    let clusterName = values[ClusterGroup.name.spec.key]?.last
    var words = arguments
    switch command.clusterFlag {
    case .required where clusterName == nil:
      throw usage("which cluster? '-n NAME' after 'cluster' says it")
    case .refused where clusterName != nil:
      throw usage("'\(Help.name(path))' is not about one cluster and takes no -n")
    case .substitute:
      if let clusterName {
        if words.isEmpty {
          words = [clusterName]
        } else if words[0] != clusterName {
          throw usage("two different clusters are named: '\(clusterName)' and '\(words[0])'")
        }
      }
    case .required, .refused: break
    }
    if words.count > command.arguments.count {
      throw usage("'\(words[command.arguments.count])' is one argument too many")
    }
    var named: [String: String] = [:]
    for (index, argument) in command.arguments.enumerated() {
      if index >= words.count && argument.isOptional { continue }
      guard index < words.count, !words[index].isEmpty else {
        throw usage("\(argument.name) is missing: \(argument.summary)")
      }
      guard argument.choices.isEmpty || argument.choices.contains(words[index]) else {
        let invalid = InvalidValue(words[index], isNoneOf: argument.choices)
        throw usage("\(argument.name) \(invalid.reason)", invalid.suggestion)
      }
      named[argument.name] = words[index]
    }
    return named
  }

  // MARK: Complaining

  private func usage(_ problem: String, _ near: String? = nil) -> CommandError {
    let help = "see '\(Help.name(path)) --help'"
    return CommandError(.wrongUsage, problem, hint: near.map { "did you mean '\($0)'?" } ?? help)
  }

  private func unknown(_ what: String, _ near: String?) -> CommandError {
    usage("'\(Help.name(path))' has no \(what)", near)
  }
}
