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

  @Test("Every module stands in the architecture's table, and nothing else does")
  func modules() throws {
    let text = try text("docs/architecture.md")
    let rows = text.split(separator: "\n").drop { $0 != "## Who imports whom" }.dropFirst()
      .prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| `") }
    let named = rows.flatMap { row in
      row.split(separator: "|").first.map {
        $0.split(separator: "`").filter { $0.first?.isLetter == true }
      } ?? []
    }.map(String.init)
    let folders: [String: String] = [
      "Proto": "Schema", "Sources/Adapters/Stores/Memory": "MemoryStore",
      "Sources/Adapters/Stores/SQLite": "SQLiteStore",
    ]
    // Programs wire things together and are no modules for others.
    let programs: Set<String> = ["omnid", "talosim", "omnictl"]
    let modules = moduleFolders.map { folder in
      folders[folder] ?? String(folder.split(separator: "/").last ?? "")
    }.filter { !programs.contains($0) }
    #expect(Set(named.filter { $0 != "Proto/" }).subtracting(modules) == ["TalosSimulator"])
    #expect(Set(modules).subtracting(named) == [])
  }

  @Test("Every check stands in the driver's table, once, and nothing else does")
  func checks() throws {
    let listed = firstColumn(below: "What is checked", in: try text("docs/talos-driver.md"))
    #expect(listed.sorted() == CheckName.allCases.map(\.rawValue).sorted())
  }

  @Test("Every check stands in the troubleshooting table, once, and nothing else does")
  func troubleshooting() throws {
    let listed = firstColumn(below: "By check", in: try text("docs/troubleshooting.md"))
    #expect(listed.sorted() == CheckName.allCases.map(\.rawValue).sorted())
  }

  @Test("No source file is longer than 300 lines, bindings of the schema aside")
  func length() throws {
    for folder in ["Sources", "Clients"] {
      for file in try sourceFiles(under: folder) {
        let lines = file.text.count { $0.isNewline }
        #expect(lines <= 300, "\(file.path) has \(lines) lines")
      }
    }
  }
}
