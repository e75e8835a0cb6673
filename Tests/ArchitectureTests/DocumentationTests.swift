import Foundation
import Rotation
import Testing

/// What the documents list is what the code has.
@Suite struct DocumentationTests {
  private func text(_ path: String) throws -> String {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOfFile: root.appending(path: path).path, encoding: .utf8)
  }

  /// The names in the first column of the table below `heading`.
  private func firstColumn(below heading: String, in text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.drop { $0 != "## \(heading)" }.dropFirst().prefix { !$0.hasPrefix("## ") }
      .filter { $0.hasPrefix("| `") }
      .compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
  }

  @Test("Every check stands in the driver's table, once, and nothing else does")
  func checks() throws {
    let listed = firstColumn(below: "What is checked", in: try text("docs/talos-driver.md"))
    #expect(listed.sorted() == CheckName.allCases.map(\.rawValue).sorted())
  }
}
