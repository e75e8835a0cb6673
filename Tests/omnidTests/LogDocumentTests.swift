import Daemon
import Foundation
import ManagementService
import RPCTransport
import Testing

/// docs/logging.md lists every field and every event of the log, and nothing else.
@Suite struct LogDocumentTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static func text(_ path: String) throws -> String {
    try String(contentsOfFile: root.appending(path: path).path, encoding: .utf8)
  }

  /// The names in the first column of the table below `heading`.
  private static func firstColumn(below heading: String) throws -> [String] {
    try text("docs/logging.md").split(separator: "\n", omittingEmptySubsequences: false)
      .drop { $0 != "## \(heading)" }.dropFirst().prefix { !$0.hasPrefix("## ") }
      .filter { $0.hasPrefix("| `") }
      .compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
  }

  /// The messages that the sources give the logger.
  private static func messages() throws -> Set<String> {
    var messages: Set<String> = []
    for folder in ["Sources/Programs/omnid", "Sources/Programs/Interceptors"] {
      let base = root.appending(path: folder).path
      let names = FileManager.default.enumerator(atPath: base)?.compactMap { $0 as? String } ?? []
      for name in names where name.hasSuffix(".swift") {
        let source = try text("\(folder)/\(name)")
        for call in source.matches(
          of: /logger\.(?:debug\(|info\(|warning\(|error\(|log\(level,)\s*/)
        {
          if let message = literal(source[call.range.upperBound...]) { messages.insert(message) }
        }
      }
    }
    return messages
  }

  /// The string at the beginning, which may be put together of several; nil where there is none.
  private static func literal(_ source: Substring) -> String? {
    var rest = source
    var text: String?
    while let piece = rest.prefixMatch(of: /"([^"\\]*)"\s*(\+\s*)?/) {
      text = (text ?? "") + piece.1
      rest = rest[piece.range.upperBound...]
      if piece.2 == nil { break }
    }
    return text
  }

  @Test("Every field stands in the table, once, and nothing else does")
  func fields() throws {
    let listed = try Self.firstColumn(below: "Fields")
    #expect(listed.sorted() == LogField.allCases.map(\.rawValue).sorted())
  }

  @Test("Every event stands in the table, once, and nothing else does")
  func events() throws {
    let listed = try Self.firstColumn(below: "Events")
    // Made where no logger is given: by the logger itself, and by the reports of connections.
    let others =
      ["log lines were lost: nobody read them"] + ConnectionReport.Kind.allCases.map(\.rawValue)
    let messages = try Self.messages()
    #expect(messages.count > 40)
    #expect(listed.sorted() == (Array(messages) + others).sorted())
  }

  @Test("What handlers note of a call is a field of the log each")
  func facts() {
    for fact in CallFact.allCases { #expect(LogField(rawValue: fact.rawValue) != nil, "\(fact)") }
  }
}
