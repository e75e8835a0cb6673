/// `omnictl completion bash|zsh|fish`.
enum CompletionCommand {
  private static let shell = ArgumentSpec(
    "SHELL", "bash, zsh or fish", choices: ["bash", "zsh", "fish"])

  static let command: CommandSpec = .init(
    "completion", "Print the completion script of a shell",
    examples: [
      "omnictl completion bash > ~/.local/share/bash-completion/completions/omnictl",
      "omnictl completion zsh > ~/.zfunc/_omnictl",
      "omnictl completion fish > ~/.config/fish/completions/omnictl.fish",
    ],
    discussion: """
      Names of clusters, machines, rotations and contexts are asked of the server that the command line
      means, which has a second to answer. For the present shell alone:

      bash:  source <(omnictl completion bash)
      zsh:   source <(omnictl completion zsh)
      fish:  omnictl completion fish | source
      """,
    arguments: [shell], isLocal: true
  ) { session throws(CommandError) in
    switch session.invocation[shell] {
    case "bash": session.print(CompletionScripts.bash)
    case "zsh": session.print(CompletionScripts.zsh)
    default: session.print(CompletionScripts.fish)
    }
  }
}
