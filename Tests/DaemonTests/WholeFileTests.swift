import Foundation
import Glibc
import Testing

@testable import Daemon

@Suite("Files that appear whole")
struct WholeFileTests {
  private let folder = NSTemporaryDirectory() + "whole-" + UUID().uuidString.prefix(8)

  init() throws { try PrivateFiles.makeDirectory(folder) }

  @Test("A file has its bytes and is its owner's alone, whatever the process' mask")
  func creates() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
    let path = folder + "/file"
    try PrivateFiles.create(path, bytes)
    #expect(try PrivateFiles.read(path, limit: 4_000_000) == bytes)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600 && status.st_nlink == 1)
    #expect(try PrivateFiles.names(in: folder) == ["file"])
  }

  @Test("What is there is not replaced, and a directory that is not there is told of")
  func refuses() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/file"
    try PrivateFiles.create(path, [1])
    #expect(throws: DaemonError("\(path) is there already: choose another name, or move it away")) {
      try PrivateFiles.create(path, [2])
    }
    #expect(try PrivateFiles.read(path) == [1])
    #expect(throws: DaemonError.self) { try PrivateFiles.create(folder + "/none/file", [1]) }
    #expect(throws: DaemonError.self) { try PrivateFiles.names(in: folder + "/none") }
    #expect(try PrivateFiles.names(in: folder) == ["file"])
  }

  @Test("A file is replaced by one that is its owner's alone, or stays what it was")
  func replaces() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/file"
    let long = [UInt8](repeating: 7, count: 100_000)
    for bytes in [[1, 2], long, []] {
      try PrivateFiles.replace(path, bytes)
      #expect(try PrivateFiles.read(path) == bytes)
      var status = stat()
      #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
      #expect(try PrivateFiles.names(in: folder) == ["file"])
    }
    // What a process that died has left is in nobody's way, a link least of all.
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/.file.partial", withDestinationPath: folder + "/elsewhere")
    try PrivateFiles.replace(path, [3])
    #expect(try PrivateFiles.names(in: folder) == ["file"])
    #expect(throws: DaemonError.self) { try PrivateFiles.replace(folder + "/none/file", [1]) }
    try PrivateFiles.makeDirectory(folder + "/directory/inner")
    #expect(throws: DaemonError.self) { try PrivateFiles.replace(folder + "/directory", [1]) }
    #expect(try PrivateFiles.names(in: folder).sorted() == ["directory", "file"])
  }
}
