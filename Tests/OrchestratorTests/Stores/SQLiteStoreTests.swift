import Foundation
import Orchestrator
import Rotation
import StoreConformance
import Synchronization
import Testing

@testable import SQLiteStore

/// Writes a file that only its owner may read.
func writePrivately(_ data: Data, to file: URL) throws {
  try data.write(to: file)
  try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
}

@Suite("SQLite store")
struct SQLiteStoreTests {
  static func code(_ body: () throws -> Void) -> StoreError.Code? {
    do { try body() } catch { return (error as? StoreError)?.code }
    return nil
  }

  /// A closed database with one cluster in it.
  static func written(_ directory: URL) async throws -> URL {
    let file = directory.appendingPathComponent("omnid.db")
    let store = try SQLiteStore(path: file.path, sealer: Sample.sealer)
    _ = try await store.commit([.putCluster(Sample.cluster("demo"), expected: 0)])
    await store.close()
    return file
  }

  @Test("The database and the files beside it can be read by their owner alone")
  func mode() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let store = try SQLiteStore(path: directory.path + "/omnid.db", sealer: Sample.sealer)
    _ = try await store.commit([.putCluster(Sample.cluster("demo"), expected: 0)])
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    #expect(files.sorted() == ["omnid.db", "omnid.db-shm", "omnid.db-wal"])
    for file in files {
      let attributes = try FileManager.default.attributesOfItem(
        atPath: directory.path + "/" + file)
      #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
    }
    await store.close()
  }

  @Test(
    "Whoever reads the store holds no commit up, and what was removed leaves the log afterwards")
  func reader() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.path + "/omnid.db"
    let store = try SQLiteStore(path: path, sealer: Sample.sealer)
    let revision = try await store.commit([.putCluster(Sample.cluster("demo"), expected: 0)])
    let reader = try Connection(path: path)
    try reader.execute("BEGIN")
    #expect(try reader.number("SELECT count(*) FROM clusters") == 1)
    let time = try await ContinuousClock().measure {
      _ = try await store.commit([.removeCluster("demo", expected: revision)])
      for name in ["a", "b"] {
        _ = try await store.commit([.putCluster(Sample.cluster(name), expected: 0)])
      }
    }
    #expect(time < .seconds(3))
    func logBytes() throws -> Int {
      try #require(
        try FileManager.default.attributesOfItem(atPath: path + "-wal")[.size] as? Int)
    }
    #expect(try logBytes() > 0)
    // Nothing is committed any more: the store comes back to it by itself.
    try reader.execute("COMMIT")
    for _ in 0..<200 where try logBytes() > 0 { try await Task.sleep(for: .milliseconds(50)) }
    #expect(try logBytes() == 0)
    await store.close()
  }

  /// A closed store with so many clusters, `c-1000` the first.
  private static func filled(_ count: Int) async throws -> StoreOnDisk {
    let disk = try StoreOnDisk()
    let store = try disk.open()
    _ = try await store.commit(
      (0..<count).map { .putCluster(Sample.cluster("c-\(1000 + $0)"), expected: 0) })
    await store.close()
    return disk
  }

  @Test(
    "Single rows are answered while the whole store is being read, each only as omnid wrote it",
    .timeLimit(.minutes(1)))
  func rowsMeanwhile() async throws {
    let disk = try await Self.filled(1000)
    try disk.execute(
      "UPDATE clusters SET record = (SELECT record FROM clusters WHERE name = 'c-1000') "
        + "WHERE name = 'c-1999'")
    let store = try disk.open()
    let refusal = Mutex<StoreError??>(nil)
    let loading = Task {
      do throws(StoreError) {
        _ = try await store.load()
        refusal.withLock { $0 = .some(nil) }
      } catch { refusal.withLock { $0 = error } }
    }
    var answered = 0
    while refusal.withLock({ $0 == nil }) {
      let cluster = try await store.cluster("c-1000")
      let page = try await store.clusters(after: "c-1001", limit: 2)
      #expect(cluster?.name == "c-1000" && page.map(\.name) == ["c-1002", "c-1003"])
      await #expect(throws: StoreError.self) { try await store.cluster("c-1999") }
      await #expect(throws: StoreError.self) { try await store.clusters(after: "c-1997", limit: 2) }
      if refusal.withLock({ $0 == nil }) { answered += 1 }
    }
    await loading.value
    #expect(answered > 0)
    let error = refusal.withLock { $0 ?? nil }
    #expect(error?.code == .corrupt)
    #expect(error?.message.contains("row 'c-1999' of table clusters") == true)
    await store.close()
  }

  @Test(
    "What is committed while the whole store is being read is in what was read, or not, as a whole",
    .timeLimit(.minutes(1)))
  func commitsMeanwhile() async throws {
    let disk = try await Self.filled(500)
    let store = try disk.open()
    async let loaded = store.load()
    for index in 0..<10 {
      _ = try await store.commit([
        .putCluster(Sample.cluster("d-\(index)"), expected: 0),
        .putCluster(Sample.cluster("e-\(index)"), expected: 0),
      ])
    }
    let contents = try await loaded
    #expect(contents.clusters.count == 500 + 2 * (Int(contents.revision) - 1))
    #expect(try await store.load().clusters.count == 520)
    await store.close()
  }

  @Test("A file that is no database is refused and left as it is")
  func garbage() throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = directory.appendingPathComponent("omnid.db")
    let bytes = Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    try writePrivately(bytes, to: file)
    #expect(
      SQLiteStoreTests.code { _ = try SQLiteStore(path: file.path, sealer: Sample.sealer) }
        == .corrupt)
    #expect(try Data(contentsOf: file) == bytes)
  }

  @Test(
    "A database of a newer version, or of another program, is refused and left as it is",
    arguments: [(60, [0, 0, 0, 99]), (68, [1, 2, 3, 4]), (68, [0, 0, 0, 0])] as [(Int, [UInt8])])
  func foreign(offset: Int, bytes: [UInt8]) async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = try await SQLiteStoreTests.written(directory)
    // user_version stands at byte 60 of the header, application_id at byte 68.
    var data = try Data(contentsOf: file)
    data.replaceSubrange(offset..<offset + 4, with: bytes)
    try writePrivately(data, to: file)
    #expect(
      SQLiteStoreTests.code { _ = try SQLiteStore(path: file.path, sealer: Sample.sealer) }
        == .incompatible)
    #expect(try Data(contentsOf: file) == data)
  }

  @Test("Damaged pages and records are an error, not a crash and not a half-read journal")
  func damaged() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = try await SQLiteStoreTests.written(directory)
    let whole = try Data(contentsOf: file)
    var errors = 0
    for page in 1..<(whole.count / 4096) {
      var data = whole
      data.replaceSubrange(
        page * 4096..<(page + 1) * 4096, with: Data(repeating: 0xA5, count: 4096))
      try writePrivately(data, to: file)
      do {
        let contents = try await SQLiteStore(path: file.path, sealer: Sample.sealer).load()
        #expect(contents.revision == 1 || contents.revision == 0)
      } catch {
        #expect(error.code == .corrupt)
        errors += 1
      }
    }
    #expect(errors >= 2)
  }

  @Test(
    "A store with a table, a trigger, a view or an index more or less is refused, and it is named",
    arguments: [
      ("CREATE TRIGGER t AFTER UPDATE ON journal BEGIN DELETE FROM rotations; END", "trigger t"),
      (
        "CREATE TRIGGER t AFTER UPDATE ON journal BEGIN DELETE FROM rotations; END; "
          + "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET name = 'sqlite_t', "
          + "sql = replace(sql, 'TRIGGER t', 'TRIGGER sqlite_t') WHERE name = 't'",
        "trigger sqlite_t"
      ),
      ("CREATE VIEW v AS SELECT 1", "view v"), ("CREATE TABLE more (x)", "table more"),
      ("DROP TABLE progress", "index progress_by_ordinal"), ("DROP TABLE access", "table access"),
      ("DROP INDEX requests_by_ordinal", "index requests_by_ordinal"),
    ])
  func foreignObjects(sql: String, named: String) async throws {
    let disk = try await StoreOnDisk.takenOver()
    try disk.execute(sql)
    let error = await disk.refusal()
    #expect(error?.code == .corrupt)
    #expect(error?.message.contains(named) == true, "\(error?.message ?? "opened")")
  }

  @Test("Whatever part of the log a power cut leaves, the journal is that of some commit")
  func tornLog() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = directory.path + "/omnid.db"
    let store = try SQLiteStore(path: file, sealer: Sample.sealer)
    var cluster = Sample.cluster("demo")
    for round in 1...30 as ClosedRange<UInt64> {
      cluster.rotationCount = round
      cluster.revision = try await store.commit([
        .putCluster(cluster, expected: cluster.revision),
        .putRotation(
          Sample.rotation("r\(round)", ordinal: round), expected: 0),
      ])
    }
    let database = try Data(contentsOf: URL(fileURLWithPath: file))
    let log = try Data(contentsOf: URL(fileURLWithPath: file + "-wal"))
    var seen: Set<Revision> = []
    for cut in Array(stride(from: 0, to: log.count, by: max(1, log.count / 60))) + [log.count] {
      let copy = directory.path + "/copy-\(cut).db"
      try writePrivately(database, to: URL(fileURLWithPath: copy))
      try writePrivately(log.prefix(cut), to: URL(fileURLWithPath: copy + "-wal"))
      let survivor = try SQLiteStore(path: copy, sealer: Sample.sealer)
      let contents = try await survivor.load()
      seen.insert(contents.revision)
      #expect(contents.clusters.first?.rotationCount ?? 0 == contents.revision)
      #expect(contents.rotations.first?.ordinal ?? 0 == contents.revision)
      await survivor.close()
    }
    #expect(seen.contains(30) && seen.count > 10)
    await store.close()
  }

  @Test("A step writes the rows of the machines that have changed, and what goes with them, alone")
  func rowsOfAStep() async throws {
    let disk = try StoreOnDisk()
    let store = try disk.open()
    let machines = (0..<200).map {
      MachineProgress(
        machine: Machine(id: "worker-\($0)", address: "10.0.0.1", role: .worker),
        state: .verifying(Sample.effort))
    }
    var stage = Stage(phase: .rotate, machines: machines.sorted { $0.machine.id < $1.machine.id })
    var rotation = Sample.rotation("r1", state: .rolling(stage))
    _ = try await store.commit([.putCluster(Sample.cluster("demo"), expected: 0)])
    rotation.revision = try await store.commit([.putRotation(rotation, expected: 0)])
    let log = URL(filePath: disk.path + "-wal")
    let before = try Data(contentsOf: log).count
    stage.machines[7].state = .verified(Sample.effort)
    rotation.state = .rolling(stage)
    let name = stage.machines[7].machine.id
    rotation.revision = try await store.commit([
      .putRotation(rotation, expected: rotation.revision, machines: [name])
    ])
    let written = try Data(contentsOf: log).count - before
    #expect(written < 24 << 10, "\(written) bytes")
    #expect(try await store.rotation("r1") == rotation)
    await store.close()
    #expect(try disk.names("SELECT id FROM progress WHERE revision = 3") == ["r1/", "r1/\(name)"])
    #expect(try disk.names("SELECT id FROM rotations WHERE revision = 2") == ["r1"])
  }

  @Test("What is over stands in one row")
  func rowsOfTheEnd() async throws {
    let disk = try StoreOnDisk()
    let store = try disk.open()
    var rotation = Sample.rotation("r1", state: Sample.states.last!)
    let stage = try #require(rotation.state.stage)
    rotation.revision = try await store.commit([.putRotation(rotation, expected: 0)])
    rotation.state = .succeeded(stage)
    _ = try await store.commit([.putRotation(rotation, expected: rotation.revision)])
    await store.close()
    #expect(try disk.names("SELECT id FROM progress") == [])
    #expect(try disk.names("SELECT id FROM rotations") == ["r1"])
  }

  @Test("A store that was closed says so")
  func closed() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let store = try SQLiteStore(path: directory.path + "/omnid.db", sealer: Sample.sealer)
    await store.close()
    await #expect(throws: StoreError(.unavailable, "the store is closed")) {
      _ = try await store.load()
    }
  }

  @Test("A path that cannot be used is an error that names it")
  func path() throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let missing = directory.path + "/missing/omnid.db"
    #expect(throws: StoreError.self) { _ = try SQLiteStore(path: missing, sealer: Sample.sealer) }
    do { _ = try SQLiteStore(path: missing, sealer: Sample.sealer) } catch {
      #expect(error.code == .unavailable && error.message.contains(missing))
    }
    #expect(
      SQLiteStoreTests.code { _ = try SQLiteStore(path: directory.path, sealer: Sample.sealer) }
        == .unavailable)
  }

  @Test("A state directory has one user at a time; the next one is told who it is")
  func stateDirectory() throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    func take() throws -> Bool {
      let lock = try ProcessLock(directory: directory.path)
      // flock belongs to the open file, so a second one in this process is as foreign as any.
      do { _ = try ProcessLock(directory: directory.path, patience: 0) } catch {
        #expect(error.code == .inUse)
        #expect(error.message.contains("process \(ProcessInfo.processInfo.processIdentifier)"))
        _ = consume lock
        return true
      }
      return false
    }
    #expect(try take())
    // Let go of, it can be taken again, and what the last one left in the file does not matter.
    #expect(try take())
    #expect(
      SQLiteStoreTests.code {
        _ = try ProcessLock(directory: directory.path + "/missing")
      } == .unavailable)
  }

  @Test("A store has one user at a time by whatever link, and stores beside it have their own")
  func storeLock() throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.path + "/omnid.db"
    // There before the store is.
    try FileManager.default.createSymbolicLink(
      atPath: directory.path + "/early.db", withDestinationPath: "omnid.db")
    let lock = try ProcessLock(store: directory.path + "/early.db")
    _ = try SQLiteStore(path: path, sealer: Sample.sealer)
    try FileManager.default.createDirectory(
      atPath: directory.path + "/b", withIntermediateDirectories: false)
    for (link, target) in [("/b/omnid.db", path), ("/c", directory.path)] {
      try FileManager.default.createSymbolicLink(
        atPath: directory.path + link, withDestinationPath: target)
    }
    for same in [
      path, directory.path + "/early.db", directory.path + "/b/omnid.db",
      directory.path + "/c/omnid.db",
    ] {
      #expect(
        SQLiteStoreTests.code { _ = try ProcessLock(store: same, patience: 0) } == .inUse,
        "\(same)")
    }
    _ = try ProcessLock(store: directory.path + "/other.db", patience: 0)
    let state = try ProcessLock(directory: directory.path)
    _ = try ProcessLock(store: directory.path + "/omnid", patience: 0)
    _ = consume state
    _ = consume lock
    _ = try ProcessLock(store: path, patience: 0)
    try FileManager.default.linkItem(atPath: path, toPath: directory.path + "/b/hard.db")
    #expect(SQLiteStoreTests.code { _ = try ProcessLock(store: path) } == .unavailable)
  }

  @Test("A user that is just being taken down is waited for, within limits")
  func dyingHolder() async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let holder = open(directory.path + "/omnid.lock", O_RDWR | O_CREAT, 0o600)
    #expect(flock(holder, LOCK_EX | LOCK_NB) == 0)
    #expect(
      SQLiteStoreTests.code {
        _ = try ProcessLock(directory: directory.path, patience: 40)
      } == .inUse)
    Thread.detachNewThread {
      usleep(200_000)
      close(holder)
    }
    #expect(
      SQLiteStoreTests.code {
        _ = try ProcessLock(directory: directory.path, patience: 10_000)
      } == nil)
  }

  @Test("A rotation runs to its end over SQLite, through deaths and restarts", arguments: 0..<3)
  func rotation(seed: Int) throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(at: directory) }
    let world = World(
      seed: UInt64(seed), controlPlanes: 2, workers: 2,
      journal: try SQLiteStore(path: directory.path + "/omnid.db", sealer: Sample.sealer))
    try SimulationTests.rotate(
      world, component: .talosCA, lifetimes: [15, 30, 20], note: "sqlite \(seed)")
  }
}
