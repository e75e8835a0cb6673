import Foundation
import Testing

@testable import Daemon

@Suite("Files of the service")
struct PrivateFilesTests {
  private func scratch() -> String {
    NSTemporaryDirectory() + "omnid-files-" + UUID().uuidString
  }

  @Test("Every missing directory of a path is made for its owner alone")
  func directories() throws {
    let root = scratch()
    defer { try? FileManager.default.removeItem(atPath: root) }
    try PrivateFiles.makeDirectory(root + "/a/b/")
    try PrivateFiles.makeDirectory(root + "/a/b")
    for path in [root, root + "/a", root + "/a/b"] {
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
      #expect(mode as? Int == 0o700)
    }
  }

  @Test("A file in the place of a directory is an error that names it")
  func obstacle() throws {
    let file = scratch()
    _ = FileManager.default.createFile(atPath: file, contents: Data())
    defer { try? FileManager.default.removeItem(atPath: file) }
    #expect(throws: DaemonError("\(file) exists and is not a directory")) {
      try PrivateFiles.makeDirectory(file)
    }
  }

  @Test("A file is read whole, and refused when it is longer than the limit")
  func reading() throws {
    let file = scratch()
    _ = FileManager.default.createFile(atPath: file, contents: Data(repeating: 7, count: 40_000))
    defer { try? FileManager.default.removeItem(atPath: file) }
    #expect(try PrivateFiles.read(file) == [UInt8](repeating: 7, count: 40_000))
    #expect(throws: DaemonError.self) { try PrivateFiles.read(file, limit: 39_999) }
    #expect(throws: DaemonError.self) { try PrivateFiles.read(file + ".missing") }
  }

  @Test("A directory that others have rights to is refused, saying what to do")
  func openDirectory() throws {
    let root = scratch()
    defer { try? FileManager.default.removeItem(atPath: root) }
    try PrivateFiles.makeDirectory(root)
    try PrivateFiles.checkDirectory(root)
    for mode in [0o750, 0o705, 0o720] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: root)
      do throws(DaemonError) {
        try PrivateFiles.checkDirectory(root)
        Issue.record("taken with the mode \(mode)")
      } catch { #expect(error.message.contains("chmod 700 \(root)")) }
    }
    #expect(throws: DaemonError.self) { try PrivateFiles.checkDirectory(root + "/missing") }
  }

  @Test("A secret that others have rights to is not read")
  func openSecret() throws {
    let file = scratch()
    defer { try? FileManager.default.removeItem(atPath: file) }
    _ = FileManager.default.createFile(atPath: file, contents: Data([7]))
    for (mode, isTaken) in [(0o600, true), (0o400, true), (0o644, false), (0o640, false)] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
      do throws(DaemonError) {
        #expect(try PrivateFiles.readSecret(file) == [7])
        #expect(isTaken)
      } catch {
        #expect(!isTaken)
        #expect(error.message.contains("chmod 600 \(file)"))
      }
    }
  }

  @Test(
    "A secret that the service manager hands over may be readable by a group, and by nobody else")
  func credential() throws {
    let file = scratch()
    defer { try? FileManager.default.removeItem(atPath: file) }
    _ = FileManager.default.createFile(atPath: file, contents: Data([7]))
    for (mode, isTaken) in [
      (0o440, true), (0o400, true), (0o640, true), (0o444, false), (0o460, false), (0o404, false),
    ] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
      let read = try? PrivateFiles.readSecret(file, isCredential: true)
      #expect((read == [7]) == isTaken, "\(String(mode, radix: 8))")
    }
  }

  @Test("A file that says something is made once")
  func made() throws {
    let file = scratch()
    defer { try? FileManager.default.removeItem(atPath: file) }
    try PrivateFiles.make(file, saying: "one")
    try PrivateFiles.make(file, saying: "two")
    #expect(try PrivateFiles.readSecret(file) == Array("one".utf8))
    PrivateFiles.remove(file)
    #expect(!PrivateFiles.exists(file))
    #expect(throws: DaemonError.self) { try PrivateFiles.make(file + "/x", saying: "") }
  }

  @Test("The directory of a path")
  func parents() {
    #expect(PrivateFiles.parent(of: "/run/omnid/omnid.sock") == "/run/omnid")
    #expect(PrivateFiles.parent(of: "/run/omnid/") == "/run")
    #expect(PrivateFiles.parent(of: "/run") == "/")
    #expect(PrivateFiles.parent(of: "/") == nil)
    #expect(PrivateFiles.parent(of: "omnid.sock") == nil)
  }

  @Test("A directory that others may write to is none for a store, also with the sticky bit")
  func sharedDirectory() throws {
    let root = scratch()
    defer { try? FileManager.default.removeItem(atPath: root) }
    try PrivateFiles.makeDirectory(root)
    for mode in [0o700, 0o750, 0o755] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: root)
      try PrivateFiles.checkSharedDirectory(root)
    }
    for mode in [0o775, 0o702, 0o777, 0o1777] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: root)
      do throws(DaemonError) {
        try PrivateFiles.checkSharedDirectory(root)
        Issue.record("taken with the mode \(mode)")
      } catch { #expect(error.message.contains("chmod go-w \(root)")) }
    }
    #expect(throws: DaemonError.self) { try PrivateFiles.checkSharedDirectory(root + "/missing") }
  }
}
