import Foundation

/// A folder of .proto files with their bindings.
struct SchemaFolder {
  var root: URL

  /// `Proto/`
  static let proto = SchemaFolder(root: repository.appendingPathComponent("Proto"))

  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The paths of all files with that ending, from the root.
  func files(ending: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: root.path)
      .filter { $0.hasSuffix(ending) }.sorted()
  }

  func text(of path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }
}
