/// One command as completion scripts see it.
struct CompletionNode: Sendable {
  /// From the program down, with spaces: `omnictl cluster machine`.
  let path: String
  let command: CommandSpec
  /// What may be given there: its own flags and those of the commands above it.
  let flags: [FlagSpec]

  /// All commands of a tree, each after the one above it.
  static func all(
    _ command: CommandSpec, above: String = "", flags: [FlagSpec] = []
  ) -> [CompletionNode] {
    let path = above.isEmpty ? command.name : "\(above) \(command.name)"
    // A command that takes the cluster's name as an argument, or none, is not offered -n.
    let inherited =
      command.subcommands.isEmpty && command.clusterFlag != .required
      ? flags.filter { $0.name != ClusterGroup.name.spec.name } : flags
    // The command's own flag goes before one of the same name above it.
    let own = Set(command.flags.map(\.name))
    let node = CompletionNode(
      path: path, command: command,
      flags: inherited.filter { !own.contains($0.name) } + command.flags)
    return [node]
      + command.subcommands.flatMap { all($0, above: path, flags: flags + command.flags) }
  }

  /// Every flag of the tree that takes a value, once.
  static func valuedFlags(_ nodes: [CompletionNode]) -> [FlagSpec] {
    var names: Set<String> = []
    return nodes.flatMap(\.flags).filter { $0.form != .switched && names.insert($0.name).inserted }
  }

  /// What the command takes as its first argument.
  var argument: FlagSpec.Completion {
    guard let argument = command.arguments.first else { return .nothing }
    return argument.choices.isEmpty ? argument.completion : .words(argument.choices)
  }

  /// Prints the names of the clusters, one a line; nothing when the server does not answer.
  static let clusterNames =
    "omnictl cluster list --timeout 2s 2>/dev/null | tail -n +2 | cut -d ' ' -f 1"

  /// A word for any of the three shells.
  static func quoted(_ text: String) -> String {
    "'" + text.replacing("'", with: "'\\''") + "'"
  }
}

extension FlagSpec {
  /// `--name`, and `-n` before it where there is one.
  var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + ["--\(name)"] }
}
