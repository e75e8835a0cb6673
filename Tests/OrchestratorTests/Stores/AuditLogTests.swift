import MemoryStore
import Orchestrator
import Rotation
import SQLiteStore
import StoreConformance
import Testing

@Suite("The audit log in a store")
struct AuditLogTests {
  private static func event(_ number: Int, call: UInt64 = 0) -> AuditEvent {
    AuditEvent(
      call: call, caller: "uid:\(number)", method: "RotateSecret", cluster: "demo",
      request: "component=talos-ca reason=\"n° \(number)\"", code: call == 0 ? "" : "OK",
      message: call == 0 ? "" : "rotation x")
  }

  private static func instant(_ number: Int) -> Instant {
    Instant(nanosecondsSince1970: 1_700_000_000_000_000_000 + Int64(number))
  }

  /// A store with so many entries, closed.
  private static func disk(_ count: Int, keeping limit: UInt64 = 100) async throws -> StoreOnDisk {
    let disk = try StoreOnDisk()
    let store = try disk.open(opening: SQLiteStore.Opening(auditLimit: limit))
    for number in 1...count {
      _ = try await store.append(event(number), at: instant(number))
    }
    await store.close()
    return disk
  }

  private static func entries(
    _ disk: StoreOnDisk, after index: UInt64 = 0, limit: Int = 100
  ) async throws -> [AuditEntry] {
    let store = try disk.open()
    do {
      let entries = try await store.entries(after: index, limit: limit)
      await store.close()
      return entries
    } catch {
      await store.close()
      throw error
    }
  }

  @Test(
    "Entries come back in their order, each with the hash of the one before",
    arguments: [true, false])
  func order(inMemory: Bool) async throws {
    let disk = try StoreOnDisk()
    let log: any AuditLog = inMemory ? MemoryStore() : try disk.open()
    var made: [AuditEntry] = []
    for number in 1...5 {
      made.append(
        try await log.append(
          Self.event(number, call: UInt64(number - 1)), at: Self.instant(number)))
    }
    #expect(made.map(\.index) == [1, 2, 3, 4, 5])
    #expect(made[0].previous.isEmpty)
    for (before, entry) in zip(made, made.dropFirst()) { #expect(entry.previous == before.hash) }
    #expect(Set(made.map(\.hash)).count == 5 && made.allSatisfy { $0.hash.count == 32 })
    #expect(try await log.entries(after: 0, limit: 100) == made)
    #expect(try await log.entries(after: 2, limit: 2) == Array(made[2...3]))
    #expect(try await log.entries(after: 5, limit: 2).isEmpty)
    #expect(try await log.entries(after: 99, limit: 2).isEmpty)
  }

  @Test("Entries outlive the process, and the chain goes on")
  func survives() async throws {
    let disk = try await Self.disk(3)
    let store = try disk.open()
    _ = try await store.load()
    let fourth = try await store.append(Self.event(4), at: Self.instant(4))
    let all = try await store.entries(after: 0, limit: 10)
    #expect(all.map(\.index) == [1, 2, 3, 4] && all[3] == fourth && fourth.previous == all[2].hash)
    await store.close()
  }

  @Test("The oldest entries go when there are too many, and what is left is still a chain")
  func limit() async throws {
    let disk = try await Self.disk(12, keeping: 5)
    #expect(try await Self.entries(disk).map(\.index) == [8, 9, 10, 11, 12])
    #expect(try await Self.entries(disk, after: 3, limit: 2).map(\.index) == [8, 9])
    #expect(await disk.refusal() == nil)
  }

  @Test(
    "An entry that somebody has changed is named when the log is read",
    arguments: [
      (
        "UPDATE audit SET record = (SELECT record FROM audit WHERE position = 2) WHERE position = 3",
        3
      ),
      ("UPDATE audit SET hash = (SELECT hash FROM audit WHERE position = 2) WHERE position = 3", 3),
      ("DELETE FROM audit WHERE position = 3", 3),
      ("UPDATE audit SET position = 9 WHERE position = 3", 3),
      ("DELETE FROM audit WHERE position < 3", 1),
    ])
  func tampered(sql: String, named: Int) async throws {
    let disk = try await Self.disk(5)
    try disk.execute(sql)
    let error = await #expect(throws: StoreError.self) { try await Self.entries(disk) }
    #expect(error?.code == .corrupt)
    #expect(
      error?.message.contains("entry \(named) of the audit log") == true, "\(error?.message ?? "")")
  }

  @Test(
    "Entries taken from the end, or put there, are noticed at the start",
    arguments: [
      "DELETE FROM audit WHERE position = 5", "DELETE FROM audit",
      "DELETE FROM audit WHERE position < 3", "DELETE FROM audit WHERE position < 5",
      "UPDATE audit SET position = 6 WHERE position = 5",
      "INSERT INTO audit SELECT 6, record, hash FROM audit WHERE position = 5",
      "UPDATE audit SET hash = x'00' WHERE position = 5",
    ])
  func cutOff(sql: String) async throws {
    let disk = try await Self.disk(5)
    try disk.execute(sql)
    #expect(await disk.refusal()?.code == .corrupt)
  }

  @Test(
    "The head cannot be set back with the entries",
    arguments: [
      "UPDATE journal SET audit_newest = 4, audit_hash = (SELECT hash FROM audit WHERE position = 4); "
        + "DELETE FROM audit WHERE position = 5",
      "UPDATE journal SET audit_newest = 0, audit_hash = x''; DELETE FROM audit",
    ])
  func headSetBack(sql: String) async throws {
    let disk = try await Self.disk(5)
    try disk.execute(sql)
    let error = try #require(throws: StoreError.self) { try disk.open() }
    #expect(error.code == .corrupt)
  }

  @Test("An entry that somebody puts behind the newest is not read, also where its hash is right")
  func forged() async throws {
    let disk = try await Self.disk(5)
    let store = try disk.open()
    try disk.execute("INSERT INTO audit SELECT 6, record, hash FROM audit WHERE position = 5")
    #expect(try await store.entries(after: 0, limit: 9).map(\.index) == [1, 2, 3, 4, 5])
    #expect(try await store.entries(after: 5, limit: 9).isEmpty)
    await store.close()
  }

  @Test("Entries change no revision, and commits change no entry")
  func apart() async throws {
    let disk = try await Self.disk(2)
    let store = try disk.open()
    #expect(try await store.commit([.putCluster(Sample.cluster("demo"), expected: 0)]) == 1)
    _ = try await store.append(Self.event(3), at: Self.instant(3))
    #expect(try await store.load().revision == 1)
    #expect(try await store.entries(after: 0, limit: 9).count == 3)
    await store.close()
  }
}

/// A log that cannot be written while `isBroken`.
private actor FragileLog: AuditLog {
  private let store = MemoryStore()
  var isBroken = false

  func set(broken: Bool) { isBroken = broken }

  func append(_ event: AuditEvent, at now: Instant) async throws(StoreError) -> AuditEntry {
    guard !isBroken else { throw StoreError(.unavailable, "the disk is full") }
    return try await store.append(event, at: now)
  }

  func entries(after index: UInt64, limit: Int) async throws(StoreError) -> [AuditEntry] {
    try await store.entries(after: index, limit: limit)
  }
}

@Suite("The audit trail")
struct AuditTrailTests {
  private let event = AuditEvent(
    caller: "uid:1", method: "LockCluster", cluster: "demo", request: "")

  private func trail(_ log: any AuditLog) -> AuditTrail {
    AuditTrail(log: log, clock: SystemClock { Instant(secondsSince1970: 1) })
  }

  @Test("A call that cannot be written down does not begin")
  func refused() async throws {
    let log = FragileLog()
    await log.set(broken: true)
    let error = await #expect(throws: OrchestratorError.self) { try await trail(log).begin(event) }
    #expect(error?.code == .journalUnavailable)
    #expect(error?.message.contains("nothing was done") == true)
  }

  @Test("An end that could not be written down is written before the next call")
  func owed() async throws {
    let log = FragileLog()
    let trail = trail(log)
    let first = try await trail.begin(event)
    await log.set(broken: true)
    await trail.end(first, code: "OK", message: "")
    await #expect(throws: OrchestratorError.self) { try await trail.begin(event) }
    await log.set(broken: false)
    let second = try await trail.begin(event)
    await trail.end(second, code: "NOT_FOUND", message: "no cluster")
    let entries = try await trail.entries(after: 0, limit: 9)
    #expect(entries.map(\.event.call) == [0, 1, 0, 3])
    #expect(entries.map(\.event.code) == ["", "OK", "", "NOT_FOUND"])
  }

  @Test("Followers are told of what is new, until the trail is closed")
  func followers() async throws {
    let trail = trail(MemoryStore())
    var news = trail.news().makeAsyncIterator()
    let call = try await trail.begin(event)
    #expect(await news.next() != nil)
    await trail.end(call, code: "OK", message: "")
    #expect(await news.next() != nil)
    trail.close()
    #expect(await news.next() == nil)
    var late = trail.news().makeAsyncIterator()
    #expect(await late.next() == nil)
  }

  @Test("Texts of a caller are cut to a limit")
  func limits() {
    let long = String(repeating: "x", count: 5000)
    let event = AuditEvent(
      caller: long, method: long, cluster: long, request: long, code: long, message: long)
    #expect(event.request.utf8.count <= AuditEvent.textLimit)
    #expect(event.message.utf8.count <= AuditEvent.textLimit)
    for text in [event.caller, event.method, event.cluster, event.code] {
      #expect(text.utf8.count <= AuditEvent.nameLimit)
    }
  }
}
