import Foundation
import Glibc
import Testing

@testable import Daemon

@Suite("Files that others read")
struct PublishedFolderTests {
  private let path = NSTemporaryDirectory() + "published-" + UUID().uuidString.prefix(8)

  private var folder: PublishedFolder { PublishedFolder(path) }

  private func mode(_ name: String) -> mode_t {
    var status = stat()
    return lstat("\(path)/\(name)", &status) == 0 ? status.st_mode & 0o777 : 0
  }

  private func remove() { try? FileManager.default.removeItem(atPath: path) }

  @Test("A file is readable for everybody, whatever the process' mask, and is written once")
  func writes() throws {
    defer { remove() }
    let old = umask(0o077)
    defer { umask(old) }
    #expect(try folder.write([1, 2], as: "ca.pem", in: "demo"))
    #expect(mode("") == 0o755 && mode("demo") == 0o755 && mode("demo/ca.pem") == 0o644)
    #expect(try !folder.write([1, 2], as: "ca.pem", in: "demo"))
    #expect(folder.read("ca.pem", in: "demo") == [1, 2])
    #expect(try folder.write([3], as: "ca.pem", in: "demo"))
    #expect(folder.read("ca.pem", in: "demo") == [3])
    #expect(try PrivateFiles.names(in: path + "/demo") == ["ca.pem"])
  }

  @Test("A file that somebody has edited, hidden, removed or replaced by a link is put right")
  func edited() throws {
    defer { remove() }
    let file = path + "/demo/ca.pem"
    let disturbances: [() throws -> Void] = [
      { try Data([9]).write(to: URL(filePath: file)) },
      { chmod(file, 0o600) },
      { unlink(file) },
      {
        unlink(file)
        symlink("/etc/passwd", file)
      },
      { try Data([7]).write(to: URL(filePath: path + "/demo/.ca.pem.partial")) },
    ]
    for (index, disturb) in disturbances.enumerated() {
      try folder.write([1], as: "ca.pem", in: "demo")
      try disturb()
      #expect(try folder.write([1], as: "ca.pem", in: "demo") == (index != 4), "\(index)")
      #expect(folder.read("ca.pem", in: "demo") == [1] && mode("demo/ca.pem") == 0o644)
    }
    try folder.write([2], as: "ca.pem", in: "demo")
    #expect(try PrivateFiles.names(in: path + "/demo") == ["ca.pem"], "and what was left is gone")
  }

  @Test("No name leads out of the directory, and neither does a folder that is a link")
  func contained() throws {
    defer { remove() }
    for name in ["..", ".", "", "a/b", "/etc", "a\0b"] {
      #expect(throws: DaemonError.self) { try folder.write([1], as: "x", in: name) }
      #expect(throws: DaemonError.self) { try folder.write([1], as: name, in: "demo") }
    }
    try folder.write([1], as: "x", in: "demo")
    let elsewhere = path + "-elsewhere"
    try PrivateFiles.makeDirectory(elsewhere)
    defer { try? FileManager.default.removeItem(atPath: elsewhere) }
    #expect(symlink(elsewhere, path + "/linked") == 0)
    #expect(throws: DaemonError.self) { try folder.write([1], as: "x", in: "linked") }
    #expect(throws: DaemonError.self) { try folder.remove(["x"], from: "linked") }
    #expect(try PrivateFiles.names(in: elsewhere).isEmpty)
    #expect(try !folder.folders().contains("linked"))
  }

  @Test("A directory that others may write to is refused, with what to do")
  func shared() throws {
    defer { remove() }
    try folder.write([1], as: "x", in: "demo")
    chmod(path, 0o777)
    #expect(throws: DaemonError.self) { try folder.write([2], as: "x", in: "demo") }
    do {
      try folder.check()
      Issue.record("it was taken")
    } catch { #expect(error.message.contains("chmod go-w \(path)")) }
    try PrivateFiles.makeDirectory(path + "-files")
    defer { try? FileManager.default.removeItem(atPath: path + "-files") }
    try PrivateFiles.create(path + "-files/file", [1])
    #expect(throws: DaemonError.self) { try PublishedFolder(path + "-files/file").check() }
    try PublishedFolder(path + "-none").check()
  }

  @Test("A folder goes with its files, unless somebody else has put something there")
  func removal() throws {
    defer { remove() }
    try folder.write([1], as: "x", in: "demo")
    try folder.write([1], as: "x", in: "other")
    try Data([1]).write(to: URL(filePath: path + "/other/theirs"))
    try folder.remove(["x", "missing"], from: "demo")
    try folder.remove(["x"], from: "other")
    #expect(try folder.folders() == ["other"])
    #expect(try PrivateFiles.names(in: path + "/other") == ["theirs"])
    #expect(throws: DaemonError.self) { try folder.remove(["x"], from: "demo") }
  }
}
