import Daemon

/// `omnid config check`: whether `omnid serve` would take what it is told.
enum ConfigCommand {
  /// - Returns: the exit status: 0 when nothing is wrong, else 2.
  static func run(_ arguments: [String], _ facts: ProcessFacts) -> Int32 {
    guard arguments.first == "check" else {
      StandardStream.error.write(
        "omnid: 'omnid config check' is the one command of 'omnid config' (see 'omnid --help')\n")
      return 2
    }
    let problems = ServeOptions.problems(
      Array(arguments.dropFirst()), facts, readFile: Program.readConfiguration)
    guard problems.isEmpty else {
      for problem in problems { StandardStream.error.write("omnid: \(problem)\n") }
      return 2
    }
    return StandardStream.output.write("the configuration is good\n") ? 0 : 1
  }
}
