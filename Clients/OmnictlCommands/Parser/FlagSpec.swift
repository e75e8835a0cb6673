internal import Platform

/// One flag of a command: how it is written, what help says of it, and what values it takes.
struct FlagSpec: Sendable {
  enum Form: Sendable, Equatable {
    /// `--wait`, `--wait=false`.
    case switched
    /// `--endpoint URI`, `--endpoint=URI`; the placeholder stands in the help.
    case valued(String)
  }

  /// What a shell offers as its value.
  enum Completion: Sendable, Equatable {
    case nothing, files
    /// Names that the server knows; of the last four, those of the cluster that the line names.
    case clusters, grants, machines, marks, rotations
    case contexts
    case words([String])
  }

  let name: String
  /// By what its value is kept: another than the name where a flag of a command above has the same name.
  let key: String
  let short: Character?
  let form: Form
  let summary: String
  /// The default, as help shows it.
  let fallback: String?
  /// The environment variable that is read when the flag is absent or empty.
  let environment: String?
  let completion: Completion
  /// Throws when the values, all that were given in their order, cannot be taken.
  let check: @Sendable ([String]) throws(InvalidValue) -> Void

  /// `-n, --name NAME`, as help shows it.
  var usage: String {
    let prefix = short.map { "-\($0), " } ?? "    "
    return switch form {
    case .switched: "\(prefix)--\(name)"
    case .valued(let placeholder): "\(prefix)--\(name) \(placeholder)"
    }
  }

  /// How a message calls it.
  var title: String { "--\(name)" }
}

/// Why a value given on the command line cannot be taken; reads on after the flag's name.
struct InvalidValue: Error, Equatable {
  var reason: String
  /// What was probably meant; nil when the value resembles nothing.
  var suggestion: String?

  init(reason: String, suggestion: String? = nil) {
    self.reason = reason
    self.suggestion = suggestion
  }

  /// A value that is none of the words.
  init(_ value: String, isNoneOf words: [String]) {
    self.init(
      reason: "is one of \(words.joined(separator: ", ")), not '\(value)'",
      suggestion: Suggestion.nearest(to: value, among: words))
  }
}

/// A flag with the type of its value.
struct Flag<Value: Sendable>: Sendable {
  let spec: FlagSpec
  /// All values that were given, in their order, to the one that counts.
  let interpret: @Sendable ([String]) throws(InvalidValue) -> Value

  init(
    _ name: String, short: Character? = nil, form: FlagSpec.Form, fallback: String? = nil,
    key: String? = nil, environment: String? = nil, completion: FlagSpec.Completion = .nothing,
    summary: String,
    interpret: @escaping @Sendable ([String]) throws(InvalidValue) -> Value
  ) {
    self.interpret = interpret
    spec = FlagSpec(
      name: name, key: key ?? name, short: short, form: form, summary: summary, fallback: fallback,
      environment: environment, completion: completion,
      check: { values throws(InvalidValue) in _ = try interpret(values) })
  }
}

extension Flag where Value == Bool {
  static func switched(
    _ name: String, short: Character? = nil, fallback: Bool, _ summary: String
  ) -> Flag {
    Flag(
      name, short: short, form: .switched, fallback: fallback ? "true" : nil, summary: summary
    ) { values throws(InvalidValue) in
      guard let value = values.last else { return fallback }
      switch value {
      case "true", "1", "yes": return true
      case "false", "0", "no": return false
      default:
        throw InvalidValue(
          reason: "is either true or false, not '\(value)'",
          suggestion: Suggestion.nearest(to: value, among: ["true", "false"]))
      }
    }
  }
}

extension Flag where Value == String? {
  static func text(
    _ name: String, short: Character? = nil, _ placeholder: String, key: String? = nil,
    environment: String? = nil, completion: FlagSpec.Completion = .nothing, _ summary: String
  ) -> Flag {
    Flag(
      name, short: short, form: .valued(placeholder), key: key, environment: environment,
      completion: completion, summary: summary
    ) { values throws(InvalidValue) in
      if values.last?.isEmpty == true { throw InvalidValue(reason: "must not be empty") }
      return values.last
    }
  }
}

extension Flag where Value == String? {
  /// A flag that is absent or has one of the words.
  static func word(_ name: String, of words: [String], _ summary: String) -> Flag {
    Flag(
      name, form: .valued(words.joined(separator: "|")), completion: .words(words), summary: summary
    ) { values throws(InvalidValue) in
      if let value = values.last, !words.contains(value) {
        throw InvalidValue(value, isNoneOf: words)
      }
      return values.last
    }
  }
}

extension Flag where Value == [String] {
  /// A flag that may stand several times, and may hold several values with commas between them;
  /// spaces belong to none of the values.
  static func list(
    _ name: String, _ placeholder: String, completion: FlagSpec.Completion = .nothing,
    _ summary: String
  ) -> Flag {
    Flag(name, form: .valued(placeholder), completion: completion, summary: summary) {
      values throws(InvalidValue) in
      let parts = values.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
      let all = parts.map { part in String(part.filter { $0 != " " }) }
      if all.contains("") { throw InvalidValue(reason: "must not be empty") }
      return all
    }
  }
}

extension Flag where Value == Duration {
  static func duration(
    _ name: String, short: Character? = nil, fallback: Duration, _ summary: String
  ) -> Flag {
    Flag(
      name, short: short, form: .valued("DURATION"), fallback: GoDuration.text(fallback),
      summary: summary
    ) { values throws(InvalidValue) in
      try values.last.map { value throws(InvalidValue) in try Self.read(value) } ?? fallback
    }
  }

  fileprivate static func read(_ value: String) throws(InvalidValue) -> Duration {
    do { return try GoDuration.parse(value) } catch {
      throw InvalidValue(reason: "'\(value)' \(error.reason)")
    }
  }
}

extension Flag where Value == Duration? {
  static func duration(_ name: String, short: Character? = nil, _ summary: String) -> Flag {
    Flag(name, short: short, form: .valued("DURATION"), summary: summary) {
      values throws(InvalidValue) in
      guard let value = values.last else { return nil }
      return try Flag<Duration>.read(value)
    }
  }
}

extension Flag where Value == Int {
  static func number(
    _ name: String, fallback: Int, _ summary: String
  ) -> Flag {
    Flag(name, form: .valued("N"), fallback: String(fallback), summary: summary) {
      values throws(InvalidValue) in
      guard let value = values.last else { return fallback }
      guard let number = Int(value), number >= 0 else {
        throw InvalidValue(reason: "is a whole number, not '\(value)'")
      }
      return number
    }
  }
}

extension Flag where Value: CaseIterable & RawRepresentable<String> {
  static func choice(
    _ name: String, short: Character? = nil, fallback: Value, _ summary: String
  ) -> Flag {
    let words = Value.allCases.map(\.rawValue)
    return Flag(
      name, short: short, form: .valued(words.joined(separator: "|")),
      fallback: fallback.rawValue, completion: .words(words), summary: summary
    ) { values throws(InvalidValue) in
      guard let value = values.last else { return fallback }
      guard let choice = Value(rawValue: value) else {
        throw InvalidValue(value, isNoneOf: words)
      }
      return choice
    }
  }
}
