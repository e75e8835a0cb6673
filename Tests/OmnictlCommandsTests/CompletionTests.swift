import Foundation
import Testing

@testable import OmnictlCommands

@Suite struct CompletionTests {
  /// What bash offers at the end of the words, given as bash splits them.
  func offers(_ words: [String]) throws -> [String] {
    let quoted = words.map { CompletionNode.quoted($0) }.joined(separator: " ")
    let script = """
      \(BashCompletion.script(CommandTree.root))
      omnictl() { printf 'NAME  TALOS\\ndemo  v1\\nother  v2\\n'; }
      COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count - 1)
      _omnictl
      printf '%s\\n' "${COMPREPLY[@]}"
      """
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["--norc", "-eu", "-c", script]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test(
    "bash completes commands, flags and their values",
    arguments: [
      (
        ["omnictl", ""],
        [
          "cluster", "check", "credential", "audit", "access", "dashboard", "context", "report",
          "completion", "version",
        ]
      ),
      (["omnictl", "c"], ["cluster", "check", "credential", "context", "completion"]),
      (["omnictl", "cluster", "-n", "demo", "secret", "rotate", "k"], ["kubernetes-ca"]),
      (["omnictl", "-o", "json", "cluster", "-n", "secret", "m"], ["machine", "mark"]),
      (["omnictl", "-o", "="], ["table", "json"]),
      (["omnictl", "--output", "=", "j"], ["json"]),
      (["omnictl", "--output", "=", "json", "cluster", "li"], ["list"]),
      (["omnictl", "cluster", "-n", ""], ["demo", "other"]),
      (["omnictl", "cluster", "get", "o"], ["other"]),
      (["omnictl", "completion", "z"], ["zsh"]),
      (
        ["omnictl", "cluster", "-n", "x", "secret", "rotate", "talos-ca", "--wa"],
        ["--wait", "--wait-timeout"]
      ),
      (["omnictl", "cluster", "import", "--t"], ["--timeout", "--talosconfig"]),
    ])
  func bash(words: [String], offered: [String]) throws {
    #expect(try offers(words) == offered)
  }

  @Test(
    "The scripts of all shells name every command and every flag",
    arguments: ["bash", "zsh", "fish"])
  func complete(shell: String) async {
    let bench = Bench()
    #expect(await bench.run("completion", shell) == .done)
    for node in CompletionNode.all(CommandTree.root) {
      #expect(bench.output.text.contains(node.path))
      for flag in node.command.flags { #expect(bench.output.text.contains(flag.name)) }
    }
  }
}
