import Foundation
import Testing

/// The inputs that once broke something, and the seeds of the fuzzers, without libFuzzer.
@Suite struct FuzzCorpusTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

  @Test("No known input breaks what holds for all", arguments: FuzzTarget.all.map(\.name))
  func replay(_ name: String) async throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    var inputs = 0
    for folder in ["Seeds", "Corpus"] {
      let url = Self.root.appending(components: folder, name)
      for file in (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] {
        let bytes = try Array(Data(contentsOf: url.appending(component: file)))
        inputs += 1
        do {
          try await target.run(bytes)
        } catch {
          Issue.record("\(folder)/\(name)/\(file): \(error)")
        }
      }
    }
    #expect(inputs > 0, "\(name) has no seeds")
    try await target.run([])
  }

  @Test("Every folder of inputs belongs to a target")
  func folders() throws {
    let names = Set(FuzzTarget.all.map(\.name))
    for folder in ["Seeds", "Corpus"] {
      let found =
        (try? FileManager.default.contentsOfDirectory(
          atPath: Self.root.appending(component: folder).path)) ?? []
      for name in found where !name.hasPrefix(".") {
        #expect(names.contains(name), "\(folder)/\(name) has no target")
      }
    }
  }
}
