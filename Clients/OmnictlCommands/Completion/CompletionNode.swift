/// One command with what may be given there.
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
    let node = CompletionNode(path: path, command: command, flags: Self.flags(flags, command))
    return [node]
      + command.subcommands.flatMap { all($0, above: path, flags: flags + command.flags) }
  }

  /// What may be given at the end of a path.
  static func flags(_ path: [CommandSpec]) -> [FlagSpec] {
    flags(path.dropLast().flatMap(\.flags), path[path.count - 1])
  }

  /// The command's own flags and those above it, of which its own go before ones of the same name. A command that
  /// takes the cluster's name as an argument, or none, is not offered -n.
  private static func flags(_ above: [FlagSpec], _ command: CommandSpec) -> [FlagSpec] {
    let own = Set(command.flags.map(\.name))
    let hasCluster = !command.subcommands.isEmpty || command.clusterFlag == .required
    return above.filter { flag in
      !own.contains(flag.name) && (hasCluster || flag.name != ClusterGroup.name.spec.name)
    } + command.flags
  }
}

extension FlagSpec {
  /// `--name`, and `-n` before it where there is one.
  var spellings: [String] { (short.map { ["-\($0)"] } ?? []) + ["--\(name)"] }
}
