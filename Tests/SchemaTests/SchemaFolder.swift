import Foundation
import ProtoCodec
import Schema
import TestSchemas
import Testing

/// A folder of .proto files with their bindings.
struct SchemaFolder: Sendable, CustomTestStringConvertible {
  let path: String
  /// What its bindings register, without the well-known types, whose .proto files are protoc's.
  let files: [SchemaFile]

  static let all = [
    SchemaFolder(
      path: "Proto", files: SchemaFile.all.filter { !$0.name.hasPrefix("google/protobuf/") }),
    SchemaFolder(path: "Tests/Interop/TestSchemas", files: SchemaFile.testSchemas),
  ]

  var root: URL { SchemaFolder.repository.appendingPathComponent(path) }

  var testDescription: String { path }

  private static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The paths of all files with that ending, from the root.
  func paths(ending: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: root.path)
      .filter { $0.hasSuffix(ending) }.sorted()
  }

  func text(of path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }
}
