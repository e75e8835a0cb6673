import Foundation
import ProtoCodec

/// The `protoc` of this machine, an implementation of the schema language that owes us nothing.
enum Protoc {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// What the files under `root` declare, by path.
  ///
  /// - Parameter imports: further folders in which imports are looked up.
  static func describe(
    _ files: [String], in root: URL, imports: [URL] = []
  ) throws -> [String: FileDescriptorMessage] {
    let bytes = try descriptorSet(files, in: root, imports: imports)
    let set = try FileDescriptorSet(serialized: bytes)
    return Dictionary(uniqueKeysWithValues: set.file.map { ($0.name, $0) })
  }

  /// The same as protoc writes it.
  static func descriptorSet(
    _ files: [String], in root: URL, imports: [URL] = []
  ) throws -> [UInt8] {
    let output = FileManager.default.temporaryDirectory
      .appendingPathComponent("omnid-schema-\(UUID().uuidString).pb")
    defer { try? FileManager.default.removeItem(at: output) }
    let process = Process()
    process.executableURL = try locate()
    process.arguments =
      ["-I", root.path] + imports.flatMap { ["-I", $0.path] }
      + ["--descriptor_set_out=\(output.path)"] + files
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(description: "protoc: \(text)") }
    return [UInt8](try Data(contentsOf: output))
  }

  private static func locate() throws -> URL {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
    for folder in path.split(separator: ":") {
      let candidate = "\(folder)/protoc"
      if FileManager.default.isExecutableFile(atPath: candidate) {
        return URL(fileURLWithPath: candidate)
      }
    }
    throw Failure(
      description: "protoc is not on PATH: install the Debian package protobuf-compiler")
  }
}
