import Foundation
import MemoryStore
import Orchestrator
import Rotation
import SQLiteStore
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
final class Fixture {
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
  static func expectConflict(
    _ store: any RotationStore, _ changes: [StoreChange], _ note: Comment
  ) async throws {
    let before = try await store.load()
    await #expect(note) {
      _ = try await store.commit(changes)
    } throws: { error in
      (error as? StoreError)?.code == .conflict
    }
    #expect(try await store.load() == before, note)
  }

  @Test("A new store is empty, at revision 0", arguments: Backend.allCases)
  func empty(backend: Backend) async throws {
    let fixture = try backend.make()
    #expect(
      try await fixture.store.load() == StoreContents(revision: 0, clusters: [], rotations: []))
    #expect(try await fixture.store.cluster("demo") == nil)
    #expect(try await fixture.store.rotation("r1") == nil)
    #expect(try await fixture.store.request("q", cluster: "demo") == nil)
    #expect(try await fixture.store.rotations(cluster: "demo", before: nil, limit: 5) == [])
  }

  @Test(
    "Every record comes back as it was, also after the process was killed",
    arguments: Backend.allCases)
  func roundTrip(backend: Backend) async throws {
    let fixture = try backend.make()
    var expected: [RotationRecord] = []
    for (index, state) in Sample.states.enumerated() {
      var rotation = Sample.rotation("r\(index + 1)", ordinal: UInt64(index + 1), state: state)
      if state.isFinal { rotation.finishedAt = Sample.instant }
      rotation.revision = try await fixture.store.commit([.putRotation(rotation, expected: 0)])
      expected.append(rotation)
    }
    var cluster = Sample.cluster("demo", count: 3)
    cluster.revision = try await fixture.store.commit([
      .putCluster(cluster, expected: 0), .putRequest(Sample.request("q")),
    ])
    for store in [fixture.store, try fixture.afterKill()] {
      for rotation in expected { #expect(try await store.rotation(rotation.id) == rotation) }
      #expect(
        try await store.rotations(cluster: "demo", before: nil, limit: 100)
          == expected.reversed())
      #expect(try await store.cluster("demo") == cluster)
      #expect(try await store.request("q", cluster: "demo") == Sample.request("q"))
      #expect(
        try await store.load()
          == StoreContents(
            revision: cluster.revision, clusters: [cluster], rotations: [expected.last!]))
    }
  }

  @Test(
    "Revisions rise with every commit, whatever it changes, and never begin anew",
    arguments: Backend.allCases)
  func revisions(backend: Backend) async throws {
    let fixture = try backend.make()
    var last: Revision = 0
    func commit(_ changes: [StoreChange], in store: any RotationStore) async throws {
      let revision = try await store.commit(changes)
      #expect(revision > last)
      last = revision
    }
    try await commit([.putCluster(Sample.cluster("a"), expected: 0)], in: fixture.store)
    try await commit(
      [.removeCluster("a", expected: last)], in: fixture.store)
    try await commit([.putRequest(Sample.request("q"))], in: fixture.store)
    try await commit([.pruneRotations(cluster: "a", before: 9)], in: fixture.store)
    try await commit([.putCluster(Sample.cluster("a"), expected: 0)], in: fixture.afterKill())
    #expect(try await fixture.afterKill().load().revision == last)
  }

  @Test("A record is only replaced at the revision it has", arguments: Backend.allCases)
  func compareAndSwap(backend: Backend) async throws {
    let fixture = try backend.make()
    let store = fixture.store
    let first = try await store.commit([
      .putCluster(Sample.cluster("demo"), expected: 0),
      .putRotation(Sample.rotation("r1"), expected: 0),
    ])
    for expected in [0, first + 1, first - 1, .max] as [Revision] {
      try await StoreConformanceTests.expectConflict(
        store, [.putCluster(Sample.cluster("demo", count: 1), expected: expected)], "cluster")
      try await StoreConformanceTests.expectConflict(
        store, [.putRotation(Sample.rotation("r1"), expected: expected)], "rotation")
      try await StoreConformanceTests.expectConflict(
        store, [.removeCluster("demo", expected: expected)], "removal")
    }
    try await StoreConformanceTests.expectConflict(
      store, [.putCluster(Sample.cluster("other"), expected: first)], "there is none")
    let second = try await store.commit([
      .putCluster(Sample.cluster("demo", count: 1), expected: first)
    ])
    #expect(try await store.cluster("demo")?.revision == second)
    #expect(try await store.rotation("r1")?.revision == first)
  }

  @Test("One failed expectation undoes the whole commit", arguments: Backend.allCases)
  func atomicity(backend: Backend) async throws {
    let fixture = try backend.make()
    let store = fixture.store
    _ = try await store.commit([
      .putCluster(Sample.cluster("demo"), expected: 0), .putRequest(Sample.request("q")),
    ])
    try await StoreConformanceTests.expectConflict(
      store,
      [
        .putCluster(Sample.cluster("new"), expected: 0),
        .putRotation(Sample.rotation("r1"), expected: 0), .putRequest(Sample.request("q2")),
        .putCluster(Sample.cluster("demo"), expected: 99),
      ], "late")
    try await StoreConformanceTests.expectConflict(
      store,
      [.putRotation(Sample.rotation("r1"), expected: 0), .putRequest(Sample.request("q"))],
      "answered before")
  }

  @Test(
    "A step in which only some machines have changed comes back whole, also after the process was killed",
    arguments: Backend.allCases)
  func steps(backend: Backend) async throws {
    let fixture = try backend.make()
    var rotation = Sample.rotation("r1")
    rotation.revision = try await fixture.store.commit([.putRotation(rotation, expected: 0)])
    func put(_ machines: Set<String>?, in store: any RotationStore) async throws {
      rotation.revision = try await store.commit([
        .putRotation(rotation, expected: rotation.revision, machines: machines)
      ])
      for store in [store, try fixture.afterKill()] {
        #expect(try await store.rotation("r1") == rotation)
        #expect(try await store.load().rotations == [rotation])
      }
    }
    guard var stage = Sample.states.lazy.compactMap(\.stage).first else { return }
    rotation.state = .rolling(stage)
    try await put(nil, in: fixture.store)
    for index in stage.machines.indices {
      stage.machines[index].state = .verifying(Sample.effort)
      stage.machines[index].touched = true
      rotation.state = .rolling(stage)
      rotation.updatedAt = Sample.instant.advanced(by: .seconds(index + 2))
      rotation.notes.append("\(index)")
      rotation.elapsed = .seconds(index)
      try await put([stage.machines[index].machine.id], in: fixture.afterKill())
    }
    rotation.state = .gating(stage, Gate())
    try await put([], in: fixture.store)
    // Another stage, with one machine less and one more.
    stage.phase = .rotate
    stage.machines.removeFirst()
    stage.machines.append(
      MachineProgress(machine: Machine(id: "z", address: "10.0.0.9", role: .worker)))
    rotation.state = .rolling(stage)
    try await put(nil, in: fixture.store)
    try await StoreConformanceTests.expectConflict(
      fixture.store, [.putRotation(rotation, expected: 1, machines: ["z"])], "an old revision")
    rotation.state = .succeeded(stage)
    rotation.finishedAt = Sample.instant
    try await put(["z"], in: fixture.store)
  }

  @Test("A cluster has one rotation of each ordinal", arguments: Backend.allCases)
  func ordinals(backend: Backend) async throws {
    let fixture = try backend.make()
    _ = try await fixture.store.commit([.putRotation(Sample.rotation("r1"), expected: 0)])
    try await StoreConformanceTests.expectConflict(
      fixture.store, [.putRotation(Sample.rotation("twin"), expected: 0)], "same ordinal")
  }

  @Test(
    "The history is read newest first, page by page, each cluster by itself",
    arguments: Backend.allCases)
  func history(backend: Backend) async throws {
    let fixture = try backend.make()
    let store = fixture.store
    for ordinal in 1...7 as ClosedRange<UInt64> {
      for name in ["a", "b"] {
        _ = try await store.commit([
          .putRotation(
            Sample.rotation("\(name)\(ordinal)", cluster: name, ordinal: ordinal), expected: 0)
        ])
      }
    }
    func ids(_ before: UInt64?, _ limit: Int) async throws -> [String] {
      try await store.rotations(cluster: "a", before: before, limit: limit).map(\.id)
    }
    #expect(try await ids(nil, 3) == ["a7", "a6", "a5"])
    #expect(try await ids(5, 3) == ["a4", "a3", "a2"])
    #expect(try await ids(2, 3) == ["a1"])
    #expect(try await ids(1, 3) == [])
    #expect(try await ids(.max, 1) == ["a7"])
    #expect(try await ids(nil, 0) == [])
    #expect(try await store.load().rotations.map(\.id) == ["a7", "b7"])
  }

  @Test(
    "Pruning and removing take rotations and answers along, and nobody else's",
    arguments: Backend.allCases)
  func removal(backend: Backend) async throws {
    let fixture = try backend.make()
    let store = fixture.store
    var revision: Revision = 0
    for name in ["a", "b"] {
      revision = try await store.commit([.putCluster(Sample.cluster(name), expected: 0)])
      for ordinal in 1...3 as ClosedRange<UInt64> {
        _ = try await store.commit([
          .putRotation(
            Sample.rotation("\(name)\(ordinal)", cluster: name, ordinal: ordinal), expected: 0),
          .putRequest(Sample.request("q\(ordinal)", cluster: name, ordinal: ordinal)),
        ])
      }
    }
    _ = try await store.commit([.pruneRotations(cluster: "b", before: 3)])
    #expect(try await store.rotations(cluster: "b", before: nil, limit: 9).map(\.id) == ["b3"])
    #expect(try await store.request("q2", cluster: "b") == nil)
    #expect(try await store.request("q3", cluster: "b") != nil)
    #expect(try await store.rotation("a1") != nil)
    _ = try await store.commit([.removeCluster("b", expected: revision)])
    #expect(try await store.load().clusters.map(\.name) == ["a"])
    #expect(try await store.rotation("b3") == nil)
    #expect(try await store.request("q3", cluster: "b") == nil)
    #expect(try await store.request("q1", cluster: "a") != nil)
  }

  @Test(
    "Of many who write at once each is told whether it was first, and nothing is lost",
    arguments: Backend.allCases)
  func concurrentWriters(backend: Backend) async throws {
    let fixture = try backend.make()
    let stores = [fixture.store, try fixture.afterKill()]
    _ = try await stores[0].commit([.putCluster(Sample.cluster("demo"), expected: 0)])
    let wins = try await withThrowingTaskGroup(of: [Revision].self) { group in
      for writer in 0..<8 {
        let store = stores[writer % 2]
        group.addTask {
          var wins: [Revision] = []
          while wins.count < 10 {
            guard var cluster = try await store.cluster("demo") else { return wins }
            cluster.rotationCount += 1
            do {
              wins.append(
                try await store.commit([.putCluster(cluster, expected: cluster.revision)]))
            } catch let error as StoreError where error.code == .conflict {
              continue
            }
          }
          return wins
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(wins.count == 80)
    #expect(Set(wins).count == 80)
    #expect(try await stores[1].cluster("demo")?.rotationCount == 80)
  }

  @Test("Odd names are kept apart", arguments: Backend.allCases)
  func names(backend: Backend) async throws {
    let fixture = try backend.make()
    let names = ["", "a", "A", "a'; DROP TABLE clusters; --", "é", "a\u{0}b", "a\u{0}c"]
    for name in names {
      _ = try await fixture.store.commit([.putCluster(Sample.cluster(name), expected: 0)])
    }
    for name in names { #expect(try await fixture.store.cluster(name)?.name == name) }
    #expect(try await fixture.store.load().clusters.count == names.count)
  }
}
