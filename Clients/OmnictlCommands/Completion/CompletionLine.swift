/// A command line that is being typed, and what may stand where its cursor is.
struct CompletionLine: Sendable {
  enum Wanted: Equatable, Sendable {
    case commands, flags
    case value(FlagSpec.Completion)
  }

  /// From the program down to the last command that was named.
  private(set) var path: [CommandSpec]
  /// What the flags were given, by their keys.
  private(set) var values: [String: [String]] = [:]
  private(set) var arguments: [String] = []
  private(set) var wanted = Wanted.commands
  /// What stands in the word at the cursor before the value that is wanted: `--output=`.
  private(set) var prefix = ""
  /// As much of it as is typed.
  private(set) var typed = ""

  private var onlyArguments = false
  /// The flag that the next word is the value of.
  private var open: FlagSpec?

  /// - Parameter words: as they are typed, without the program's name; the cursor is at the end of the last one.
  init(_ words: [String], root: CommandSpec) {
    path = [root]
    for word in words.dropLast() { read(Self.unquoted(word)) }
    point(Self.unquoted(words.last ?? ""))
  }

  var command: CommandSpec { path[path.count - 1] }

  /// The flags that may be given, the nearest command's before one of the same name above it.
  var flags: [FlagSpec] { CompletionNode.flags(path) }

  // MARK: Before the cursor

  private mutating func read(_ word: String) {
    if let flag = open {
      values[flag.key, default: []].append(word)
      open = nil
    } else if onlyArguments || word == "-" || !word.hasPrefix("-") {
      readWord(word)
    } else if word == "--" {
      onlyArguments = true
    } else if word.hasPrefix("--") {
      let parts = word.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let flag = flag(named: String(parts[0])) else { return }
      take(flag, inline: parts.count == 2 ? String(parts[1]) : nil)
    } else {
      readLetters(word.dropFirst())
    }
  }

  private mutating func readWord(_ word: String) {
    if let next = command.subcommands.first(where: { $0.name == word }) {
      path.append(next)
    } else if command.subcommands.isEmpty {
      arguments.append(word)
    }
  }

  private mutating func readLetters(_ text: Substring) {
    var letters = text
    while let letter = letters.popFirst() {
      guard let flag = flags.last(where: { $0.short == letter }) else { return }
      if letters.first == "=" { return take(flag, inline: String(letters.dropFirst())) }
      if flag.form == .switched { continue }
      return take(flag, inline: letters.isEmpty ? nil : String(letters))
    }
  }

  private mutating func take(_ flag: FlagSpec, inline: String?) {
    if let inline {
      values[flag.key, default: []].append(inline)
    } else if flag.form != .switched {
      open = flag
    }
  }

  private func flag(named name: String) -> FlagSpec? {
    path.flatMap(\.flags).last { $0.name == name }
  }

  // MARK: At the cursor

  private mutating func point(_ word: String) {
    typed = word
    if let flag = open {
      wanted = .value(flag.completion)
    } else if !onlyArguments, word.hasPrefix("-"), word.contains("=") {
      let name = word.prefix { $0 != "=" }
      let flag =
        name.hasPrefix("--")
        ? flag(named: String(name.dropFirst(2))) : flags.last { "-\($0.short ?? " ")" == name }
      wanted = .value(flag?.completion ?? .nothing)
      prefix = "\(name)="
      typed = String(word.dropFirst(prefix.count))
    } else if !onlyArguments, word.hasPrefix("-") {
      wanted = .flags
    } else if !command.subcommands.isEmpty {
      wanted = .commands
    } else {
      wanted = .value(argument)
    }
    // A list: what stands before the last comma is done.
    if case .value(let completion) = wanted, completion != .files,
      let comma = typed.lastIndex(of: ",")
    {
      prefix += typed[...comma]
      typed = String(typed[typed.index(after: comma)...])
    }
  }

  /// What the next argument is; one that `-n` has named already is none.
  private var argument: FlagSpec.Completion {
    let isNamed = command.clusterFlag == .substitute && cluster != nil && arguments.isEmpty
    let index = arguments.count + (isNamed ? 1 : 0)
    guard index < command.arguments.count else { return .nothing }
    let argument = command.arguments[index]
    return argument.choices.isEmpty ? argument.completion : .words(argument.choices)
  }

  /// The cluster that `-n` has named.
  var cluster: String? { values[ClusterGroup.name.spec.key]?.last }

  /// A word without the quotes and backslashes that shells take away.
  private static func unquoted(_ word: String) -> String {
    guard word.contains(where: { "'\"\\".contains($0) }) else { return word }
    var result = ""
    var quote: Character?
    var rest = word[...]
    while let character = rest.popFirst() {
      if character == quote {
        quote = nil
      } else if quote == nil, character == "'" || character == "\"" {
        quote = character
      } else if character == "\\", quote != "'", let next = rest.popFirst() {
        result.append(next)
      } else {
        result.append(character)
      }
    }
    return result
  }
}
