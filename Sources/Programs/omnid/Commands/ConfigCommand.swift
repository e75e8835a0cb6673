import Daemon
import Glibc

/// `omnid config check`: whether `omnid serve` would take what it is told.
enum ConfigCommand {
  /// - Returns: the exit status: 0 when nothing is wrong, else 2.
  static func run(_ arguments: [String], _ facts: ProcessFacts) -> Int32 {
    guard arguments.first == "check" else {
      StandardStream.error.write(
        "omnid: 'omnid config check' is the one command of 'omnid config' (see 'omnid --help')\n")
      return 2
    }
    let words = Array(arguments.dropFirst())
    var problems = ServeOptions.problems(words, facts, readFile: Program.readConfiguration)
    if problems.isEmpty,
      let options = try? ServeOptions(words, facts, readFile: Program.readConfiguration)
    {
      problems = directoryProblems(options)
    }
    guard problems.isEmpty else {
      for problem in problems { StandardStream.error.write("omnid: \(problem)\n") }
      return 2
    }
    return StandardStream.output.write("the configuration is good\n") ? 0 : 1
  }

  /// What `omnid serve` would refuse of the directories that are there already, whoever asks: they are to belong to the
  /// user that it runs as, which is whose the state directory is. Nothing is made.
  private static func directoryProblems(_ options: ServeOptions) -> [String] {
    var problems: [String] = []
    func note(_ check: () throws -> Void) {
      do { try check() } catch { problems.append(explanation(of: error)) }
    }
    let state = options.stateDirectory
    let store = PrivateFiles.parent(of: options.storePath) ?? "."
    let user = PrivateFiles.owner(of: state) ?? geteuid()
    if PrivateFiles.exists(state) { note { try PrivateFiles.checkDirectory(state, of: user) } }
    if PrivateFiles.exists(store) {
      note { try PrivateFiles.checkSharedDirectory(store, of: user) }
    }
    return problems
  }
}
