/// The completion script of fish.
enum FishCompletion {
  static func script(_ root: CommandSpec) -> String {
    let nodes = CompletionNode.all(root)
    let valued = CompletionNode.valuedFlags(nodes)
    let paths = nodes.dropFirst().map { quoted($0.path) }.joined(separator: " ")
    return """
      function __omnictl_at
        set -l at omnictl
        set -l isValue 0
        for word in (commandline -opc)[2..-1]
          if test $isValue = 1
            set isValue 0
          else if contains -- $word \(valued.flatMap(\.spellings).joined(separator: " "))
            set isValue 1
          else if contains -- "$at $word" \(paths)
            set at "$at $word"
          end
        end
        test "$at" = "$argv[1]"
      end

      function __omnictl_clusters
        \(CompletionNode.clusterNames)
      end

      complete -c omnictl -e
      complete -c omnictl -f
      \(nodes.map(node).joined())
      """
  }

  private static func node(_ node: CompletionNode) -> String {
    let prefix = "complete -c omnictl -n \(quoted("__omnictl_at \"\(node.path)\""))"
    var lines: [String] = []
    for command in node.command.subcommands {
      lines.append("\(prefix) -a \(command.name) -d \(quoted(command.summary))")
    }
    if node.argument != .nothing { lines.append("\(prefix) \(values(node.argument))") }
    for flag in node.flags {
      var line = prefix
      if let short = flag.short { line += " -s \(short)" }
      line += " -l \(flag.name)"
      if flag.form != .switched { line += " -r \(values(flag.completion))" }
      lines.append("\(line) -d \(quoted(flag.summary))")
    }
    lines.append("\(prefix) -s h -l help -d \(quoted("show help"))")
    return lines.map { $0 + "\n" }.joined()
  }

  private static func values(_ completion: FlagSpec.Completion) -> String {
    switch completion {
    case .nothing: "-f"
    case .files: "-F"
    case .clusters: "-f -a '(__omnictl_clusters)'"
    case .words(let words): "-f -a \(quoted(words.joined(separator: " ")))"
    }
  }

  /// fish escapes a quote within single quotes by a backslash.
  private static func quoted(_ text: String) -> String {
    "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }
}
