import Foundation
import MemoryStore
import Orchestrator
import Rotation
import SQLiteStore
import StoreConformance
import Testing

/// A kind of store, and how to make one.
enum Backend: String, CaseIterable, CustomTestStringConvertible {
  case memory, sqlite

  var testDescription: String { rawValue }

  func make() throws -> Fixture {
    switch self {
    case .memory:
      return Fixture(store: MemoryStore(), directory: nil)
    case .sqlite:
      let directory = try temporaryDirectory()
      return Fixture(
        store: try SQLiteStore(path: directory.path + "/omnid.db", sealer: Sample.sealer),
        directory: directory)
    }
  }
}

func temporaryDirectory() throws -> URL {
  let directory = FileManager.default.temporaryDirectory
    .appendingPathComponent("omnid-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  return directory
}

/// A store, and its directory, which goes when the test is over.
final class Fixture: Sendable {
  let store: any RotationStore
  let directory: URL?

  init(store: any RotationStore, directory: URL?) {
    self.store = store
    self.directory = directory
  }

  /// The store as a new process finds it after the old one was killed.
  func afterKill() throws -> any RotationStore {
    guard let directory else { return store }
    return try SQLiteStore(path: directory.path + "/omnid.db", sealer: Sample.sealer)
  }

  deinit {
    if let directory { try? FileManager.default.removeItem(at: directory) }
  }
}

/// What every store promises; see `RotationStore`.
@Suite("Store conformance")
struct StoreConformanceTests {
  @Test("Every store keeps every promise", arguments: Backend.allCases, StoreConformance.cases)
  func keeps(_ backend: Backend, _ promise: StoreConformance.Case) async throws {
    let fixture = try backend.make()
    try await promise.run(
      StoreConformance.Subject(fixture.store) { try fixture.afterKill() })
  }
}
