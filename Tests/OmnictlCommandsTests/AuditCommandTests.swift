import Evidence
import ProtoCodec
import RPC
import Schema
import Testing

@testable import OmnictlCommands

@Suite("omnictl audit")
struct AuditCommandTests {
  /// A chain of the entries: each is given its index and hashes.
  static func chain(_ entries: [AuditEntry], from first: UInt64 = 1) -> [AuditEntry] {
    var previous: [UInt8] = first > 1 ? [UInt8](repeating: 7, count: 32) : []
    return entries.enumerated().map { offset, entry in
      var entry = entry
      entry.index = first + UInt64(offset)
      entry.previousHash = previous
      let time = entry.recordedAt!
      entry.hash = AuditChain.hash(
        of: [
          "\(entry.index)", "\(time.seconds * 1_000_000_000 + Int64(time.nanos))", "\(entry.call)",
          entry.caller, entry.method, entry.cluster, entry.request, entry.code, entry.message,
        ], after: previous)
      previous = entry.hash
      return entry
    }
  }

  static func entry(
    _ caller: String, _ cluster: String, call: UInt64 = 0, code: String = "", message: String = ""
  ) -> AuditEntry {
    var entry = AuditEntry()
    entry.recordedAt = Samples.later(Int64(call))
    entry.caller = caller
    entry.cluster = cluster
    entry.method = "LockCluster"
    entry.call = call
    entry.request = "reason=x"
    entry.code = code
    entry.message = message
    return entry
  }

  static let log = chain([
    entry("uid:0", "demo"), entry("uid:0", "demo", call: 1, code: "OK"),
    entry("uid:7", "other"),
    entry("uid:7", "other", call: 3, code: "NOT_FOUND", message: "no cluster 'other'"),
    entry("uid:0", "demo"),
  ])

  private func run(
    _ entries: [AuditEntry] = log, _ flags: String...
  ) async -> (code: ExitCode, output: String, errors: String) {
    var service = FakeService()
    service.audit = { request in
      #expect(!request.follow)
      return entries.filter { request.afterIndex == 0 || $0.index > request.afterIndex }
    }
    let bench = Bench(service)
    let code = await bench.run(["audit"] + flags)
    return (code, bench.output.text, bench.errors.text)
  }

  @Test("Each call is a line with its outcome, and the chain was verified")
  func table() async throws {
    let (code, output, _) = await run()
    #expect(code == .done)
    let lines = output.split(separator: "\n").map(String.init)
    #expect(lines.count == 5)
    #expect(lines[1].contains("uid:0") && lines[1].contains("  OK  "))
    #expect(lines[2].contains("NOT_FOUND") && lines[2].contains("no cluster 'other'"))
    #expect(lines[3].contains("NO ANSWER"))
    #expect(lines[4].hasPrefix("entries 1 to 5 follow one from another; the hash of the last is "))
  }

  @Test("What is shown can be narrowed; everything is verified all the same")
  func filters() async throws {
    let ofCaller = await run(Self.log, "--caller", "uid:7")
    #expect(ofCaller.output.contains("other") && !ofCaller.output.contains("demo"))
    #expect(ofCaller.output.contains("entries 1 to 5"))
    let ofCluster = await run(Self.log, "--cluster", "demo")
    #expect(!ofCluster.output.contains("uid:7"))
    let recent = await run(Self.log, "--since", "1s")
    #expect(recent.output.hasPrefix("entries 1 to 5"), "nothing is that new: \(recent.output)")
  }

  @Test("JSON is a line for each entry")
  func json() async throws {
    let (code, output, _) = await run(Self.log, "-o", "json")
    #expect(code == .done)
    let entries = try output.split(separator: "\n").map { try AuditEntry(json: String($0)) }
    #expect(entries == Self.log)
  }

  @Test("A log of which the oldest entries are gone is said to be one")
  func pruned() async throws {
    let entries = Self.chain(Array(Self.log.prefix(2)), from: 41)
    let (code, output, _) = await run(entries)
    #expect(code == .done)
    #expect(output.contains("entries 41 to 42 follow one from another; older ones are not kept"))
  }

  @Test("An empty log is no error")
  func empty() async throws {
    let (code, output, _) = await run([])
    #expect(code == .done && output == "the audit log is empty\n")
  }

  @Test(
    "A server that counts wrongly, or sends an end twice, ends nothing but the command",
    arguments: [0, UInt64.max])
  func hostile(index: UInt64) async throws {
    var entries = Self.log
    entries[0].index = index
    let (code, _, errors) = await run(entries)
    #expect(code == .failed && errors.contains("no audit log"))
    let twice = Self.chain(Array(Self.log.prefix(2)) + [Self.log[1]])
    let shown = await run(twice)
    #expect(shown.code == .done)
    #expect(shown.output.split(separator: "\n").count == 3, "\(shown.output)")
  }

  @Test("An entry that was changed, taken out or put in ends with an error that names it")
  func broken() async throws {
    var changed = Self.log
    changed[2].caller = "uid:8"
    var missing = Self.log
    missing.remove(at: 2)
    var rehashed = Self.log
    rehashed[2].caller = "uid:8"
    rehashed[2].hash = AuditChain.hash(of: ["x"], after: [])
    var first = Self.log
    first[0].previousHash = [1]
    for (entries, words) in [
      (changed, "entry 3 of the audit log was changed"),
      (missing, "entry 3 of the audit log is missing"),
      (rehashed, "entry 3 of the audit log was changed"),
      (first, "entry 1 of the audit log does not follow"),
      (
        Array(Self.log.prefix(2)) + Self.chain([Self.log[2]], from: 3),
        "entry 3 of the audit log does not follow"
      ),
    ] {
      let (code, _, errors) = await run(entries)
      #expect(code == .failed)
      #expect(errors.contains(words), "\(errors)")
    }
  }
}
