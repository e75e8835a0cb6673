import Daemon
import Foundation
import Rotation
import Testing

@testable import Crypto
@testable import omnid

@Suite("Backups on a schedule")
struct BackupOptionsTests {
  private func options(_ arguments: String...) throws(UsageError) -> ServeOptions {
    try ServeOptions(arguments, ProcessFacts(environment: [:], userID: 0)) {
      _ throws(UsageError) in []
    }
  }

  @Test("None are made unless a directory is named; then daily, and the last seven are kept")
  func defaults() throws {
    #expect(try options().backup == nil)
    let backup = try #require(try options("--backup-to", "/b").backup)
    #expect(backup == ServeOptions.BackupSettings(directory: "/b"))
    #expect(backup.every == .seconds(86_400) && backup.keep == 7 && backup.lock == .masterKey)
    let told = try options("--backup-to", "/b", "--backup-every", "15m", "--backup-keep", "1")
    #expect(told.backup?.every == .seconds(900) && told.backup?.keep == 1)
  }

  @Test(
    "What makes no sense is refused",
    arguments: [
      ["--backup-every", "1h"], ["--backup-to", "/b", "--backup-keep", "0"],
      ["--backup-to", "/b", "--backup-every", "0"],
      ["--backup-to", "/b", "--backup-every", "daily"],
      ["--backup-recipient", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"],
      ["--backup-recipients-file", "/f"],
      ["--backup-to", "/b", "--backup-recipient", "age1q"],
      ["--backup-to", "/b", "--backup-recipients-file", "/f", "--backup-passphrase-file", "/p"],
    ])
  func refused(arguments: [String]) {
    #expect(throws: UsageError.self) {
      try ServeOptions(arguments, ProcessFacts(environment: [:], userID: 0)) {
        _ throws(UsageError) in []
      }
    }
  }

  @Test("The names of backups sort as their times do, and no other file is taken for one")
  func names() {
    let name = BackupSchedule.name(Instant(secondsSince1970: 1_795_455_778))
    #expect(name == "omnid-20261123T174258Z.backup" && BackupSchedule.isName(name))
    #expect(name < BackupSchedule.name(Instant(secondsSince1970: 1_795_455_779)))
    for other in ["omnid.backup", name + ".partial", "." + name, "omnid-20261123T17425Z.backup"] {
      #expect(!BackupSchedule.isName(other))
    }
  }

  @Test("A command takes its own flags, and leaves those of serve")
  func flags() throws {
    let (own, rest) = try CommandFlags.split(
      ["--to", "a", "--state-dir", "b", "--passphrase-file=c"], ["--to", "--passphrase-file"])
    #expect(own.mapValues(\.texts) == ["--to": ["a"], "--passphrase-file": ["c"]])
    #expect(own["--to"]?.origin == "--to" && rest == ["--state-dir", "b"])
    let (twice, _) = try CommandFlags.split(
      ["--recipient", "a", "--recipient=b"], ["--recipient"], repeatable: ["--recipient"])
    #expect(twice["--recipient"]?.texts == ["a", "b"])
    for wrong in [["--to"], ["--to="], ["--to", "a", "--to", "b"]] {
      #expect(throws: UsageError.self) { try CommandFlags.split(wrong, ["--to"]) }
    }
  }

  // MARK: - Recipients

  private let example = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

  /// Recipients by their number: small numbers are points of no low order.
  private func recipient(_ number: UInt8) -> AgeRecipient {
    AgeRecipient(publicKey: [8 + number] + [UInt8](repeating: 0, count: 31))
  }

  @Test("Recipients are taken from flags, the environment and the configuration, each once")
  func recipients() throws {
    let other = recipient(1)
    let wanted = BackupLock.recipients([try AgeRecipient(example), other], file: nil)
    let flags = try options(
      "--backup-to", "/b", "--backup-recipient", example, "--backup-recipient", "\(other)",
      "--backup-recipient", example)
    #expect(flags.backup?.lock == wanted)
    let variables = [
      "OMNID_BACKUP_TO": "/b", "OMNID_BACKUP_RECIPIENT": "\(example),\(other)",
    ]
    let environment = try ServeOptions([], ProcessFacts(environment: variables, userID: 0)) {
      _ throws(UsageError) in []
    }
    #expect(environment.backup?.lock == wanted)
    let text = """
      backup-to: /b
      backup-recipient: [\(example), \(other)]
      backup-recipients-file: /f
      """
    let file = try ServeOptions(
      ["--config", "/c"], ProcessFacts(environment: [:], userID: 0)
    ) { _ throws(UsageError) in Array(text.utf8) }
    #expect(
      file.backup?.lock == .recipients([try AgeRecipient(example), other], file: "/f"))
  }

  @Test("A recipient that is none is refused with the place where it stands")
  func place() throws {
    let typed = String(example.dropLast()) + "q"
    func message(_ arguments: [String], _ text: String = "") -> String {
      do throws(UsageError) {
        _ = try ServeOptions(arguments, ProcessFacts(environment: [:], userID: 0)) {
          _ throws(UsageError) in Array(text.utf8)
        }
        return ""
      } catch { return error.message }
    }
    let flag = message(["--backup-to", "/b", "--backup-recipient", typed])
    #expect(flag.hasPrefix("--backup-recipient: '\(typed)' is no recipient: its checksum"))
    let file = message(
      ["--config", "/c.yaml"], "backup-to: /b\nlog-level: info\nbackup-recipient: \(typed)\n")
    #expect(file.hasPrefix("/c.yaml:3: backup-recipient: '\(typed)' is no recipient"), "\(file)")
    let many = (UInt8(1)...17).flatMap { ["--backup-recipient", "\(recipient($0))"] }
    #expect(message(["--backup-to", "/b"] + many).contains("16 recipients at most"))
    #expect(message(["--backup-to", "/b"] + many.dropLast(2)).isEmpty)
  }

  @Test(
    "A file of recipients is read for each backup, and refused where others may have written it")
  func recipientsFile() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "recipients-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let lock = BackupLock.recipients([recipient(1)], file: path)
    func write(_ text: String, mode: Int) throws {
      try Data(text.utf8).write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
    func refusal() -> String {
      do throws(DaemonError) {
        _ = try lock.locking()
        return ""
      } catch { return error.message }
    }
    #expect(refusal().contains(path))
    try write("# ops\n\(recipient(2))\n\(recipient(1))\n", mode: 0o644)
    #expect(try lock.locking().recipients == [recipient(1), recipient(2)])
    try write("\(recipient(3))\n", mode: 0o644)
    #expect(try lock.locking().recipients == [recipient(1), recipient(3)])
    for mode in [0o664, 0o646] {
      try write("\(recipient(2))\n", mode: mode)
      #expect(refusal().contains("others may write to \(path)"))
    }
    try write("# ops\n\(example)q\n", mode: 0o600)
    #expect(refusal().hasPrefix("\(path): line 2: "))
    try write((UInt8(2)...17).map { "\(recipient($0))\n" }.joined(), mode: 0o600)
    #expect(refusal().contains("there are 17"))
  }
}
