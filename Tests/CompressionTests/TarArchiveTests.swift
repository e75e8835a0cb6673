import Foundation
import TestSupport
import Testing

@testable import Compression

@Suite("Tar archives")
struct TarArchiveTests {
  let kubeconfig = TarArchive.File(
    name: "kubeconfig", mode: 0o644,
    contents: Array(String(repeating: "kind: Config\n", count: 99).utf8))

  @Test("files come back with name, mode and contents")
  func roundTrip() throws {
    let files = [
      kubeconfig, TarArchive.File(name: "empty", contents: []),
      TarArchive.File(name: "block", contents: [UInt8](repeating: 7, count: 512)),
    ]
    #expect(try TarArchive.files(in: TarArchive.archive(of: files)) == files)
  }

  @Test("the tar program reads what is written, and what it writes is read, in each of its formats")
  func matchesTheProgram() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tar-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let longName = String(repeating: "long", count: 40)
    try Data(TarArchive.archive(of: [kubeconfig])).write(
      to: folder.appendingPathComponent("in.tar"))
    try run("cd \(folder.path) && tar xf in.tar && cp kubeconfig \(longName)")
    let extracted = try Data(contentsOf: folder.appendingPathComponent("kubeconfig"))
    #expect(Array(extracted) == kubeconfig.contents)
    for format in ["ustar", "gnu", "pax", "v7"] {
      let names = format == "ustar" || format == "v7" ? "kubeconfig" : "kubeconfig \(longName)"
      try run("cd \(folder.path) && mkdir -p d && tar cf out.tar --format=\(format) d \(names)")
      let archive = try Data(contentsOf: folder.appendingPathComponent("out.tar"))
      let files = try TarArchive.files(in: Array(archive))
      #expect(files.map(\.name) == names.split(separator: " ").map(String.init))
      #expect(files.allSatisfy { $0.contents == kubeconfig.contents })
    }
  }

  @Test("a changed, cut or random archive is refused or read, never trapped on")
  func damage() throws {
    let archive = try TarArchive.archive(of: [kubeconfig])
    #expect(throws: CompressionError.self) {
      try TarArchive.files(in: [UInt8](repeating: 65, count: 1024))
    }
    var changed = archive
    changed[3] ^= 1
    #expect(
      throws: CompressionError(.malformed, "not a tar archive: a header's check sum is wrong")
    ) {
      try TarArchive.files(in: changed)
    }
    do {
      _ = try TarArchive.files(in: Array(archive[..<700]))
      Issue.record("a cut archive was read")
    } catch { #expect(error.code == .truncated) }
    // A trap ends the process: the seed is told before.
    let seed = RandomSeed()
    print(seed)
    var generator = seed.generator
    for _ in 0..<2000 {
      var noisy = archive
      for _ in 0..<3 {
        noisy[Int.random(in: 0..<600, using: &generator)] =
          .random(in: 0...255, using: &generator)
      }
      _ = try? TarArchive.files(in: noisy)
    }
  }

  @Test("a name that does not fit a header is refused")
  func longName() {
    for name in ["", String(repeating: "x", count: 101)] {
      #expect(throws: CompressionError.self) {
        try TarArchive.archive(of: [TarArchive.File(name: name, contents: [])])
      }
    }
  }

  private func run(_ command: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }
}
