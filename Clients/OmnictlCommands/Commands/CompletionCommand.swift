/// `omnictl completion bash|zsh|fish`.
enum CompletionCommand {
  private static let shell = ArgumentSpec(
    "SHELL", "bash, zsh or fish", choices: ["bash", "zsh", "fish"])

  static let command: CommandSpec = .init(
    "completion", "Print the completion script of a shell",
    discussion: """
      bash:  source <(omnictl completion bash)
      zsh:   source <(omnictl completion zsh)
      fish:  omnictl completion fish | source
      """,
    arguments: [shell], isLocal: true
  ) { session throws(CommandError) in
    switch session.invocation[shell] {
    case "bash": session.print(BashCompletion.script(CommandTree.root))
    case "zsh": session.print(ZshCompletion.script(CommandTree.root))
    default: session.print(FishCompletion.script(CommandTree.root))
    }
  }
}
