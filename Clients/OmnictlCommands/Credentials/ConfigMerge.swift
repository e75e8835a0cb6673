internal import YAML

/// A client configuration with a fresh credential put in beside what it held before.
struct MergedConfig: Equatable {
  var text: String
  /// The context that is current now.
  var current: String
  /// What of the same names had to go, as in `context demo`.
  var replaced: [String] = []
  /// How many other contexts there are.
  var others: Int

  /// Why a file cannot be merged into; reads on after its name.
  struct Failure: Error, Equatable {
    var reason: String
  }
}

/// Puts fresh entries into an existing file by splices: comments, order and quoting of everything
/// else stay. Comments within an entry that is replaced go with it.
protocol ConfigMerge {
  /// What a file of this kind is called.
  static var name: String { get }
  /// Throws when the file is of another kind.
  static func check(_ root: YAMLNode) throws(MergedConfig.Failure)
  /// The name of the current context.
  static func current(_ root: YAMLNode) -> String?
  /// The names of all contexts.
  static func contexts(_ root: YAMLNode) -> [String]
  /// Puts the entries of the fresh file in.
  ///
  /// - Returns: what of the same names was replaced.
  static func put(_ fresh: YAMLNode, into editor: inout YAMLEditor) throws(YAMLError) -> [String]
}

extension ConfigMerge {
  /// - Throws: when the existing text is no file of this kind, or its layout does not let itself be
  ///   edited without harm to other parts.
  static func merge(
    _ fresh: String, into existing: String
  ) throws(MergedConfig.Failure) -> MergedConfig {
    do throws(YAMLError) {
      guard let root = try YAMLParser.parse(fresh, limits: limits).first,
        let current = current(root)
      else { throw YAMLError(.syntax, "the server's answer names no current context") }
      var editor = try YAMLEditor(existing, limits: limits)
      guard let old = editor.documents.first, !old.isNull else {
        return MergedConfig(text: beginning(existing) + fresh, current: current, others: 0)
      }
      if editor.documents.count > 1 { throw YAMLError(.unsupported, "it holds several documents") }
      if let problem = problem(old) { throw YAMLError(.unsupported, problem) }
      let replaced = try put(root, into: &editor)
      let others = contexts(editor.documents[0]).count { $0 != current }
      return MergedConfig(
        text: editor.text, current: current, replaced: replaced, others: others)
    } catch { throw MergedConfig.Failure(reason: "\(error)") }
  }

  private static var limits: YAMLLimits {
    YAMLLimits(
      maximumBytes: CredentialFile.sizeLimit, maximumDepth: 32, maximumNodes: 100_000,
      maximumDocuments: 8)
  }

  private static func problem(_ root: YAMLNode) -> String? {
    guard root.entries != nil else { return "it is no \(name)" }
    do { try check(root) } catch { return error.reason }
    return nil
  }

  /// What a file without any value keeps: its comments.
  private static func beginning(_ text: String) -> String {
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("#") }
    return lines.map { $0 + "\n" }.joined()
  }
}

extension YAMLValue {
  /// The value that a node of another text has.
  init(_ node: YAMLNode) {
    if let entries = node.entries {
      self = .mapping(entries.map { Field($0.name, YAMLValue($0.value)) })
    } else if let items = node.items {
      self = .sequence(items.map { YAMLValue($0) })
    } else if let bool = node.bool {
      self = .bool(bool)
    } else if let integer = node.integer {
      self = .integer(integer)
    } else {
      self = node.text.map { .string($0) } ?? .null
    }
  }
}
