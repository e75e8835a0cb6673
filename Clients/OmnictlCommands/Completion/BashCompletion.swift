/// The completion script of bash. bash splits words at `=`, which is why that shows up as a word.
enum BashCompletion {
  static func script(_ root: CommandSpec) -> String {
    let nodes = CompletionNode.all(root)
    let valued = CompletionNode.valuedFlags(nodes)
    return """
      _omnictl() {
        local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
        local at="omnictl" commands="" flags="" i word
        COMPREPLY=()
        if [[ $cur == "=" ]]; then
          cur=""
        elif [[ $prev == "=" ]]; then
          prev="${COMP_WORDS[COMP_CWORD-2]}"
        fi
        case "$prev" in
      \(valued.map(valueCase).joined())  esac
        for ((i = 1; i < COMP_CWORD; i++)); do
          word="${COMP_WORDS[i]}"
          case "$word" in
            \(valued.flatMap(\.spellings).joined(separator: "|")))
              ((i++))
              [[ ${COMP_WORDS[i]} == "=" ]] && ((i++))
              ;;
            *)
              case "$at $word" in
                \(nodes.dropFirst().map { "\"\($0.path)\"" }.joined(separator: "|"))) at="$at $word" ;;
              esac
              ;;
          esac
        done
        case "$at" in
      \(nodes.map(node).joined())  esac
        if [[ $cur == -* ]]; then
          COMPREPLY=($(compgen -W "$flags" -- "$cur"))
        elif [[ -n $commands ]]; then
          COMPREPLY=($(compgen -W "$commands" -- "$cur"))
        fi
      }
      complete -F _omnictl omnictl

      """
  }

  private static func valueCase(_ flag: FlagSpec) -> String {
    let pattern = flag.spellings.joined(separator: "|")
    return "    \(pattern)) \(reply(flag.completion))return ;;\n"
  }

  private static func reply(_ completion: FlagSpec.Completion) -> String {
    switch completion {
    case .nothing: ""
    case .files: "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\")); "
    case .clusters:
      "COMPREPLY=($(compgen -W \"$(\(CompletionNode.clusterNames))\" -- \"$cur\")); "
    case .words(let words):
      "COMPREPLY=($(compgen -W \"\(words.joined(separator: " "))\" -- \"$cur\")); "
    }
  }

  private static func node(_ node: CompletionNode) -> String {
    var commands = node.command.subcommands.map(\.name).joined(separator: " ")
    switch node.argument {
    case .clusters: commands = "$(\(CompletionNode.clusterNames))"
    case .words(let words): commands = words.joined(separator: " ")
    case .nothing, .files: break
    }
    let flags = (node.flags.flatMap(\.spellings) + ["--help"]).joined(separator: " ")
    return "    \"\(node.path)\") commands=\"\(commands)\" flags=\"\(flags)\" ;;\n"
  }
}
