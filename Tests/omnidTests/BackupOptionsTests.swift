import Daemon
import Rotation
import Testing

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
    #expect(backup.every == .seconds(86_400) && backup.keep == 7 && backup.passphraseFile == nil)
    let told = try options("--backup-to", "/b", "--backup-every", "15m", "--backup-keep", "1")
    #expect(told.backup?.every == .seconds(900) && told.backup?.keep == 1)
  }

  @Test(
    "What makes no sense is refused",
    arguments: [
      ["--backup-every", "1h"], ["--backup-to", "/b", "--backup-keep", "0"],
      ["--backup-to", "/b", "--backup-every", "0"],
      ["--backup-to", "/b", "--backup-every", "daily"],
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
    #expect(own == ["--to": "a", "--passphrase-file": "c"] && rest == ["--state-dir", "b"])
    for wrong in [["--to"], ["--to="], ["--to", "a", "--to", "b"]] {
      #expect(throws: UsageError.self) { try CommandFlags.split(wrong, ["--to"]) }
    }
  }
}
