/// The completion script of zsh.
enum ZshCompletion {
  static func script(_ root: CommandSpec) -> String {
    let nodes = CompletionNode.all(root)
    let valued = CompletionNode.valuedFlags(nodes)
    return """
      #compdef omnictl

      _omnictl_clusters() {
        compadd -- ${(f)"$(\(CompletionNode.clusterNames))"}
      }

      _omnictl() {
        local at="omnictl" word i
        local -a commands flags
        case "$words[CURRENT-1]" in
      \(valued.map(valueCase).joined())  esac
        for ((i = 2; i < CURRENT; i++)); do
          word="$words[i]"
          case "$word" in
            \(valued.flatMap(\.spellings).joined(separator: "|"))) ((i++)) ;;
            *)
              case "$at $word" in
                \(nodes.dropFirst().map { "\"\($0.path)\"" }.joined(separator: "|"))) at="$at $word" ;;
              esac
              ;;
          esac
        done
        case "$at" in
      \(nodes.map(node).joined())  esac
        if [[ "$words[CURRENT]" == -* ]]; then
          _describe -o flag flags
        elif ((#commands)); then
          _describe command commands
        fi
      }

      if [[ "$funcstack[1]" == _omnictl ]]; then
        _omnictl "$@"
      else
        compdef _omnictl omnictl
      fi

      """
  }

  private static func valueCase(_ flag: FlagSpec) -> String {
    "    \(flag.spellings.joined(separator: "|"))) \(reply(flag.completion))return ;;\n"
  }

  private static func reply(_ completion: FlagSpec.Completion) -> String {
    switch completion {
    case .nothing: ""
    case .files: "_files; "
    case .clusters: "_omnictl_clusters; "
    case .words(let words): "compadd -- \(words.joined(separator: " ")); "
    }
  }

  private static func node(_ node: CompletionNode) -> String {
    var lines = "    \"\(node.path)\")\n"
    let commands = node.command.subcommands.map { described($0.name, $0.summary) }
    if !commands.isEmpty {
      lines += "      commands=(\(commands.joined(separator: " ")))\n"
    }
    let flags = node.flags.flatMap { flag in
      flag.spellings.map { described($0, flag.summary) }
    }
    lines +=
      "      flags=(\((flags + [described("--help", "show help")]).joined(separator: " ")))\n"
    if node.argument != .nothing {
      lines += "      [[ \"$words[CURRENT]\" == -* ]] || { \(reply(node.argument))return; }\n"
    }
    return lines + "      ;;\n"
  }

  /// `name:summary`, in which a colon of the name needs a backslash.
  private static func described(_ name: String, _ summary: String) -> String {
    CompletionNode.quoted("\(name.replacing(":", with: "\\:")):\(summary)")
  }
}
