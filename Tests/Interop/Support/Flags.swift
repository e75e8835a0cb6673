/// The command line of a test program: `--name value`, `--name=value`, and `--name` for true.
public struct Flags: Sendable {
  private var values: [String: String] = [:]

  /// - Throws: `FlagError` for a word that is none of the flags.
  public init(_ words: some Sequence<String>, known: [String]) throws(FlagError) {
    var pending: String?
    for word in words {
      guard word.hasPrefix("--") else {
        guard let name = pending else { throw FlagError("unexpected argument \(word)") }
        values[name] = word
        pending = nil
        continue
      }
      let parts = word.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard known.contains(name) else {
        throw FlagError("unknown flag --\(name); known: \(known.joined(separator: ", "))")
      }
      values[name] = parts.count == 2 ? String(parts[1]) : "true"
      pending = parts.count == 2 ? nil : name
    }
  }

  public subscript(name: String) -> String? { values[name] }

  public func isSet(_ name: String) -> Bool { values[name] == "true" }

  /// - Throws: `FlagError` when the value is no number.
  public func number(_ name: String, default fallback: Int) throws(FlagError) -> Int {
    guard let text = values[name] else { return fallback }
    guard let number = Int(text) else { throw FlagError("--\(name) takes a number, not \(text)") }
    return number
  }

  /// - Throws: `FlagError` when it is missing.
  public func required(_ name: String) throws(FlagError) -> String {
    guard let value = values[name] else { throw FlagError("--\(name) is missing") }
    return value
  }
}

/// A command line that makes no sense.
public struct FlagError: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
