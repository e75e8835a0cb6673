import RPCTransport
import Testing

@testable import OmnictlCommands

@Suite struct ParserTests {
  func parse(
    _ line: String..., environment: [String: String] = [:]
  ) throws -> CommandParser.Outcome {
    try CommandParser.parse(line, root: CommandTree.root, environment: { environment[$0] })
  }

  func invocation(
    _ line: String..., environment: [String: String] = [:]
  ) throws -> Invocation {
    let outcome = try CommandParser.parse(
      line, root: CommandTree.root, environment: { environment[$0] })
    guard case .run(let invocation) = outcome else {
      throw CommandError(.failed, "help was not asked for")
    }
    return invocation
  }

  func problem(_ line: String...) -> String {
    do {
      _ = try CommandParser.parse(line, root: CommandTree.root, environment: { _ in nil })
      return ""
    } catch {
      #expect(error.code == .wrongUsage)
      return error.line
    }
  }

  static let rotate = ["cluster", "-n", "demo", "secret", "rotate", "talos-ca"]

  func rotate(_ flags: String...) throws -> Invocation {
    let outcome = try CommandParser.parse(
      Self.rotate + flags, root: CommandTree.root, environment: { _ in nil })
    guard case .run(let invocation) = outcome else {
      throw CommandError(.failed, "help was not asked for")
    }
    return invocation
  }

  @Test("The contract's verbs are there, and none that are not served")
  func verbs() {
    let leaves = CompletionNode.all(CommandTree.root).filter { $0.command.action != nil }
    #expect(
      Set(leaves.map(\.path)) == [
        "omnictl cluster trust-bundle",
        "omnictl cluster secrets export", "omnictl cluster secret rotate continue",
        "omnictl cluster lock", "omnictl cluster unlock",
        "omnictl cluster machine lock",
        "omnictl cluster machine unlock", "omnictl cluster import", "omnictl cluster list",
        "omnictl cluster get",
        "omnictl cluster forget", "omnictl cluster machine list",
        "omnictl cluster secret rotate talos-ca", "omnictl cluster secret rotate kubernetes-ca",
        "omnictl cluster secret rotate status", "omnictl cluster secret rotate history",
        "omnictl cluster secret rotate abort", "omnictl cluster secret rotate adopt",
        "omnictl cluster adopt", "omnictl credential check",
        "omnictl cluster talosconfig", "omnictl cluster kubeconfig", "omnictl completion",
        "omnictl check", "omnictl version", "omnictl audit", "omnictl report verify",
        "omnictl cluster secret rotate proof", "omnictl cluster mark clear",
        "omnictl cluster secret rotate export-ca",
        "omnictl access issue", "omnictl access list", "omnictl access revoke",
        "omnictl context add", "omnictl context list", "omnictl context use",
        "omnictl context remove", "omnictl dashboard",
      ])
  }

  @Test(
    "A verb that there is not, and one without what it needs, is refused",
    arguments: [
      ["upgrade"], ["cluster", "lock"],
    ])
  func refusedVerb(line: [String]) {
    #expect(throws: CommandError.self) {
      try CommandParser.parse(line, root: CommandTree.root, environment: { _ in nil })
    }
  }

  @Test("A flag's value stands after it or behind an equals sign, for long and short ones")
  func forms() throws {
    for flags in [
      ["-t", "90s"], ["-t90s"], ["-t=90s"], ["--wait-timeout", "90s"], ["--wait-timeout=90s"],
    ] {
      let line = Self.rotate + flags
      let outcome = try CommandParser.parse(line, root: CommandTree.root, environment: { _ in nil })
      guard case .run(let invocation) = outcome else { throw CommandError(.failed, "help") }
      #expect(invocation[WaitFlags.waitTimeout] == .seconds(90), "\(flags)")
    }
  }

  @Test("Defaults are those of the contract")
  func defaults() throws {
    let invocation = try rotate()
    #expect(invocation[WaitFlags.wait])
    #expect(invocation[WaitFlags.waitTimeout] == nil)
    #expect(!invocation[SecretRotate.dryRun])
    #expect(invocation[GlobalFlags.output] == .table)
    #expect(invocation[GlobalFlags.endpoint] == nil)
    #expect(invocation[ClusterGroup.name] == "demo")
  }

  @Test("A switch takes its value only behind an equals sign")
  func switches() throws {
    #expect(try rotate("--wait=false")[WaitFlags.wait] == false)
    #expect(try rotate("-w=false")[WaitFlags.wait] == false)
    #expect(try rotate("-w")[WaitFlags.wait] == true)
    #expect(try rotate("--wait=false", "-w")[WaitFlags.wait] == true)
    #expect(throws: CommandError.self) { try rotate("--wait", "false") }
    #expect(throws: CommandError.self) { try rotate("--wait=perhaps") }
    let both = try rotate("-wt", "0")
    #expect(both[WaitFlags.wait] && both[WaitFlags.waitTimeout] == .zero)
  }

  @Test("Global flags may stand anywhere")
  func anywhere() throws {
    for line in [
      ["-o", "json", "cluster", "list"], ["cluster", "-o", "json", "list"],
      ["cluster", "list", "-o", "json"], ["cluster", "list", "-ojson"],
    ] {
      let outcome = try CommandParser.parse(line, root: CommandTree.root, environment: { _ in nil })
      guard case .run(let invocation) = outcome else { throw CommandError(.failed, "help") }
      #expect(invocation[GlobalFlags.output] == .json)
      #expect(invocation.command.name == "list")
    }
  }

  @Test("The last of several values counts; lists keep all")
  func repeated() throws {
    #expect(try rotate("-t", "1s", "-t", "2s")[WaitFlags.waitTimeout] == .seconds(2))
    let invocation = try invocation(
      "cluster", "-n", "demo", "talosconfig", "--role", "os:reader,os:operator", "--role=os:admin")
    #expect(invocation.values["role"] == ["os:reader,os:operator", "os:admin"])
  }

  @Test("A value may begin with a dash unless it is a flag")
  func dashes() throws {
    #expect(try rotate("--reason", "-leaked-").values["reason"] == ["-leaked-"])
    #expect(
      problem("cluster", "import", "a", "--talosconfig", "--context", "c").contains("needs a value")
    )
    #expect(problem("cluster", "list", "-o").contains("--output needs a value"))
  }

  @Test("After -- everything is an argument")
  func terminator() throws {
    let invocation = try invocation("cluster", "get", "--", "-o")
    #expect(invocation[ClusterGroup.nameArgument] == "-o")
  }

  @Test("The endpoint comes from the flag, else from the environment")
  func environment() throws {
    let variables = ["OMNI_ENDPOINT": "unix:/tmp/a.sock"]
    let fromVariable = try invocation("cluster", "list", environment: variables)
    #expect(fromVariable[GlobalFlags.endpoint] == .unix(path: "/tmp/a.sock"))
    #expect(fromVariable.given.isEmpty)
    let fromFlag = try invocation(
      "cluster", "list", "--endpoint", "/tmp/b.sock", environment: variables)
    #expect(fromFlag[GlobalFlags.endpoint] == .unix(path: "/tmp/b.sock"))
    let empty = try invocation("cluster", "list", environment: ["OMNI_ENDPOINT": ""])
    #expect(empty[GlobalFlags.endpoint] == nil)
    #expect(throws: CommandError.self) {
      try invocation("cluster", "list", environment: ["OMNI_ENDPOINT": "nonsense"])
    }
  }

  @Test(
    "Endpoints that cannot be used are refused",
    arguments: ["", "unix:", "unix-abstract:", "tls:h", "tcp:h:1", "h:1"])
  func endpoints(text: String) {
    #expect(problem("cluster", "list", "--endpoint", text).contains("--endpoint"))
  }

  @Test("A socket without a file, and one elsewhere, are endpoints too")
  func otherEndpoints() throws {
    for (text, endpoint) in [
      ("unix-abstract:omnid", Endpoint.abstract(name: "omnid")),
      ("tls:omnid.example:8443", .tls(host: "omnid.example", port: 8443)),
    ] {
      #expect(
        try invocation("cluster", "list", "--endpoint", text)[GlobalFlags.endpoint] == endpoint)
    }
  }

  @Test(
    "An endpoint of Sidero Omni's omnictl is told apart, with the name of the variable",
    arguments: [
      "https://acme.omni.siderolabs.io", "HTTPS://omni.example.org:443", "grpc://127.0.0.1:8090",
      "acme.omni.siderolabs.io", "acme.omni.siderolabs.io:443",
    ])
  func sideros(text: String) {
    do {
      _ = try CommandParser.parse(
        ["cluster", "list"], root: CommandTree.root,
        environment: { $0 == "OMNI_ENDPOINT" ? text : nil })
      Issue.record("the endpoint was taken")
    } catch {
      #expect(error.code == .wrongUsage)
      #expect(error.message.hasPrefix("OMNI_ENDPOINT ") && error.message.contains("Sidero Omni"))
    }
    #expect(problem("cluster", "list", "--endpoint", text).contains("--endpoint holds"))
    // A command that does without a server does not look at it.
    #expect(throws: Never.self) {
      try CommandParser.parse(["version"], root: CommandTree.root, environment: { _ in text })
    }
  }

  @Test("The context of a talosconfig is not that of omnictl")
  func contexts() throws {
    let own = try invocation(
      "--context", "prod", "cluster", "import", "a", "--talosconfig", "f", "--context", "admin@a")
    #expect(own[GlobalFlags.context] == "prod")
    #expect(own.values["talosconfig-context"] == ["admin@a"])
    #expect(try invocation("cluster", "list", "--context=x")[GlobalFlags.context] == "x")
  }

  @Test("The cluster is named by flag or by argument, as the command has it")
  func clusterNames() throws {
    #expect(try invocation("cluster", "get", "demo")[ClusterGroup.nameArgument] == "demo")
    #expect(try invocation("cluster", "-n", "demo", "get")[ClusterGroup.nameArgument] == "demo")
    #expect(problem("cluster", "-n", "a", "get", "b").contains("two different clusters"))
    #expect(problem("cluster", "get").contains("NAME is missing"))
    #expect(problem("cluster", "-n", "a", "list").contains("takes no -n"))
    #expect(problem("cluster", "machine", "list").contains("which cluster?"))
    #expect(problem("cluster", "-n", "", "machine", "list").contains("must not be empty"))
    #expect(problem("cluster", "get", "a", "b").contains("one argument too many"))
  }

  @Test(
    "A mistyped name gets a suggestion",
    arguments: [
      (["clutser", "list"], "cluster"), (["cluster", "lst"], "list"),
      (["cluster", "-n", "a", "secretz"], "secret"),
      (["cluster", "-n", "a", "secret", "rotate", "talos"], "talos-ca"),
      (["cluster", "-n", "a", "secret", "rotate", "kuberentes-ca"], "kubernetes-ca"),
      (["cluster", "list", "--ouput", "json"], "--output"),
      (["cluster", "list", "--hlep"], "--help"), (["--verison"], "--version"),
      (["cluster", "list", "-o", "jsn"], "json"), (["completion", "bsh"], "bash"),
      (["cluster", "-n", "a", "secret", "rotate", "kubernets-ca"], "kubernetes-ca"),
      (
        ["cluster", "-n", "a", "secret", "rotate", "adopt", "--component", "kubernets-ca"],
        "kubernetes-ca"
      ),
      (["access", "issue", "--name", "a", "--role", "reeder"], "reader"),
      (["cluster", "-n", "a", "secret", "rotate", "talos-ca", "--wait=flase"], "false"),
      (
        ["cluster", "-n", "a", "secret", "rotate", "talos-ca", "--reason", "leakd-kubeconfig: x"],
        "leaked-kubeconfig"
      ),
    ])
  func suggestions(line: [String], meant: String) throws {
    let error = try #require(throws: CommandError.self) {
      try CommandParser.parse(line, root: CommandTree.root, environment: { _ in nil })
    }
    #expect(error.code == .wrongUsage)
    #expect(error.line.contains("did you mean '\(meant)'?"), "\(error.line)")
  }

  @Test(
    "A reason is any text, unless it is a cause that is mistyped",
    arguments: ["leaked-kubeconfig: on a laptop", "routine", "drill 7", "JIRA-1234", "import of x"])
  func reasons(text: String) throws {
    #expect(try rotate("--reason", text).values["reason"] == [text])
  }

  @Test("Every command has examples, and each is a command line that is understood")
  func examples() throws {
    for node in CompletionNode.all(CommandTree.root) {
      #expect(!node.command.examples.isEmpty, "\(node.path)")
      for example in node.command.examples {
        let words = Self.words(example)
        #expect(words.first == "omnictl" && example.count <= 96, "\(example)")
        let outcome = try CommandParser.parse(
          Array(words.dropFirst()), root: CommandTree.root, environment: { _ in nil })
        guard case .run(let invocation) = outcome else {
          Issue.record("no command: \(example)")
          continue
        }
        let path = invocation.path.map(\.name).joined(separator: " ")
        #expect(path.hasPrefix(node.path) || node.path == "omnictl report verify", "\(example)")
      }
    }
  }

  /// The words of a line as a shell has them, up to where its output goes elsewhere.
  private static func words(_ line: String) -> [String] {
    var words: [String] = []
    var word = ""
    var isQuoted = false
    for character in line + " " {
      if character == "'" {
        isQuoted.toggle()
      } else if character == " ", !isQuoted {
        if ["|", ">"].contains(word) { break }
        if !word.isEmpty { words.append(word) }
        word = ""
      } else {
        word.append(character)
      }
    }
    return words
  }

  @Test("--version is the command version, before a command and nowhere else")
  func version() throws {
    #expect(try invocation("--version").command.name == "version")
    #expect(try invocation("--version", "-o", "json")[GlobalFlags.output] == .json)
    #expect(problem("cluster", "list", "--version").contains("no flag '--version'"))
  }

  @Test("What resembles nothing gets no suggestion")
  func noSuggestion() {
    #expect(
      problem("frobnicate")
        == "omnictl: 'omnictl' has no command 'frobnicate'; see 'omnictl --help'")
    #expect(problem("cluster", "x").contains("did you mean") == false)
  }

  @Test("A group alone is not enough, and says what there is")
  func groups() {
    #expect(problem("cluster", "-n", "a", "secret").contains("rotate"))
    #expect(
      problem().contains(
        "cluster, check, credential, audit, access, dashboard, context, report, completion, version"
      ))
  }

  @Test("Values that cannot be taken name their flag")
  func values() {
    #expect(problem("cluster", "list", "--timeout", "5").contains("--timeout '5' needs a unit"))
    #expect(problem("cluster", "list", "-o", "yaml").contains("--output is one of table, json"))
    #expect(problem("completion", "tcsh").contains("SHELL is one of bash, zsh, fish"))
    #expect(problem("cluster", "import", "a").contains("--talosconfig is missing"))
    #expect(
      problem("cluster", "-n", "a", "secret", "rotate", "history", "--limit", "-1")
        .contains("--limit is a whole number"))
  }

  @Test("Every error is one line without control characters")
  func oneLine() {
    let line = problem("clus\u{1B}[2Jter\nlist")
    #expect(!line.contains("\n") && !line.contains("\u{1B}"))
  }

  @Test("Every command has help, wherever --help stands")
  func help() throws {
    for node in CompletionNode.all(CommandTree.root) {
      let words = node.path.split(separator: " ").dropFirst().map(String.init)
      for line in [words + ["--help"], words + ["-h"], ["help"] + words, ["--help"] + words] {
        let outcome = try CommandParser.parse(
          line, root: CommandTree.root, environment: { _ in nil })
        guard case .help(let path) = outcome else {
          Issue.record("no help for \(line)")
          continue
        }
        let text = Help.text(path)
        #expect(text.hasPrefix(node.command.summary))
        #expect(text.contains("Usage:\n  omnictl"))
        for flag in node.command.flags { #expect(text.contains("--\(flag.name)")) }
        for command in node.command.subcommands { #expect(text.contains("  \(command.name) ")) }
        #expect(text.split(separator: "\n").allSatisfy { DisplayWidth.of(String($0)) <= 100 })
      }
    }
  }

  @Test("On a narrow terminal help is broken at its width, but for command lines and columns")
  func narrowHelp() throws {
    for node in CompletionNode.all(CommandTree.root) {
      let words = node.path.split(separator: " ").dropFirst().map(String.init)
      guard
        case .help(let path) = try CommandParser.parse(
          words + ["--help"], root: CommandTree.root, environment: { _ in nil })
      else { continue }
      for line in Help.text(path, columns: 80).split(separator: "\n") {
        let isCommandLine = line.contains("  omnictl ")
        #expect(DisplayWidth.of(String(line)) < 80 || isCommandLine, "\(line)")
      }
      let wide = Help.text(path).split { $0.isWhitespace }
      #expect(Help.text(path, columns: 80).split { $0.isWhitespace } == wide, "\(node.path)")
    }
  }

  @Test("No two flags that can be given together have the same name or letter")
  func distinct() {
    for node in CompletionNode.all(CommandTree.root) {
      let spellings = node.flags.flatMap(\.spellings) + ["-h", "--help"]
      #expect(Set(spellings).count == spellings.count, "\(node.path)")
    }
  }

  @Test("Distances count insertions, removals, replacements and swaps")
  func distances() {
    func distance(_ a: String, _ b: String) -> Int {
      Suggestion.distance(Array(a.unicodeScalars), Array(b.unicodeScalars))
    }
    #expect(distance("", "") == 0)
    #expect(distance("", "abc") == 3)
    #expect(distance("abc", "") == 3)
    #expect(distance("list", "lsit") == 1)
    #expect(distance("list", "lst") == 1)
    #expect(distance("kitten", "sitting") == 3)
    #expect(Suggestion.nearest(to: String(repeating: "a", count: 5000), among: ["list"]) == nil)
  }
}
