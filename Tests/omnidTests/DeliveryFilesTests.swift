import Daemon
import Foundation
import Notifications
import Rotation
import Testing

@testable import omnid

@Suite("What targets were told of, as files")
final class DeliveryFilesTests {
  private let root = NSTemporaryDirectory() + "omnid-deliveries-" + UUID().uuidString
  private let now = Instant(secondsSince1970: 1_764_460_800)
  private var files: DeliveryFiles { DeliveryFiles(stateDirectory: root) }
  private var path: String { root + "/notifications/ops" }

  init() throws { try PrivateFiles.makeDirectory(root) }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  @Test("A target that has never been told of anything is new, and is told from now on")
  func new() {
    #expect(files.find("ops", now: now) == .new(DeliveryRecord(since: now)))
  }

  @Test("What was kept is found, also by the next process")
  func kept() throws {
    let record = DeliveryRecord(since: now)
    try files.keep(record, of: "ops")
    #expect(files.find("ops", now: now.advanced(by: .seconds(9))) == .kept(record))
    #expect(try PrivateFiles.read(path) == record.file)
  }

  @Test("A file that is damaged, or cannot be read, has a day told once more")
  func damaged() throws {
    let day = DeliveryRecord(since: now.advanced(by: .seconds(-86_400)))
    try files.keep(DeliveryRecord(since: now), of: "ops")
    try PrivateFiles.replace(path, Array("omnid notifications 1\nsince 5\n".utf8))
    #expect(
      files.find("ops", now: now) == .damaged(day, "\(path) is not what omnid has written"))
    PrivateFiles.remove(path)
    try PrivateFiles.makeDirectory(path)
    guard case .damaged(day, let reason) = files.find("ops", now: now) else {
      Issue.record("a directory is no file")
      return
    }
    #expect(reason.contains(path))
  }

  @Test("What targets were told of that are there no more is forgotten, and the rest is not")
  func sweep() throws {
    for name in ["ops", "gone"] { try files.keep(DeliveryRecord(since: now), of: name) }
    try PrivateFiles.replace(root + "/notifications/.ops.partial", [1])
    files.sweep(keeping: ["ops"])
    #expect(
      try PrivateFiles.names(in: root + "/notifications").sorted() == [".ops.partial", "ops"])
    files.sweep(keeping: [])
    #expect(try PrivateFiles.names(in: root + "/notifications") == [])
  }
}
