/// A command line that was understood: which command, with what.
struct Invocation: Sendable {
  /// From the program itself down to the command.
  let path: [CommandSpec]
  /// What each flag was given, by its name; from the environment where the command line is silent.
  let values: [String: [String]]
  /// The names of the flags that stand on the command line itself.
  let given: Set<String>
  /// By the name of the argument.
  let arguments: [String: String]

  /// The command to run.
  var command: CommandSpec { path[path.count - 1] }

  /// The value of a flag, its default when it was not given. The parser has checked it.
  subscript<Value>(_ flag: Flag<Value>) -> Value {
    do { return try flag.interpret(values[flag.spec.key] ?? []) } catch {
      preconditionFailure("--\(flag.spec.name) was not checked: \(error.reason)")
    }
  }

  /// The value of an argument of this command.
  subscript(_ argument: ArgumentSpec) -> String { arguments[argument.name] ?? "" }
}
