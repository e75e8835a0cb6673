/// Why a YAML text was refused, or an edit could not be made.
///
/// The message names the rule that was broken, never text of the document: machine configs hold
/// private keys.
public struct YAMLError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The text is not YAML, or not UTF-8.
    case syntax
    /// The text is YAML but exceeds one of ``YAMLLimits``.
    case limitExceeded
    /// A mapping holds the same key twice.
    case duplicateKey
    /// A construct that this module does not read: a collection as a key, an alias to nothing.
    case unsupported
    /// An edit names a place that does not exist or is of another kind.
    case invalidPath
  }

  public var code: Code
  public var message: String
  /// Where the problem is: 1-based, in characters; zero when no place can be named.
  public var line: Int
  public var column: Int

  public init(_ code: Code, _ message: String, line: Int = 0, column: Int = 0) {
    self.code = code
    self.message = message
    self.line = line
    self.column = column
  }

  public var description: String {
    line > 0 ? "\(message) (line \(line), column \(column))" : message
  }
}

/// How much of a document is read before it is refused.
public struct YAMLLimits: Sendable, Hashable {
  /// Bytes of the whole text.
  public var maximumBytes: Int
  /// Collections inside collections.
  public var maximumDepth: Int
  /// Nodes in all documents together, each alias counted as all that it stands for, so that nested
  /// aliases cannot blow a small text up.
  public var maximumNodes: Int
  public var maximumDocuments: Int

  public init(
    maximumBytes: Int = 8 << 20, maximumDepth: Int = 64, maximumNodes: Int = 500_000,
    maximumDocuments: Int = 1_000
  ) {
    self.maximumBytes = maximumBytes
    self.maximumDepth = maximumDepth
    self.maximumNodes = maximumNodes
    self.maximumDocuments = maximumDocuments
  }

  /// Room for the largest machine config there is (32 MiB messages carry it, real ones are below
  /// 1 MiB), and no more.
  public static let `default` = YAMLLimits()
}
