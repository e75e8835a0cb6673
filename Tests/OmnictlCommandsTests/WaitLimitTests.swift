import RPC
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite struct WaitLimitTests {
  let start = ContinuousClock.now

  func clock(_ limit: WaitLimit, _ first: RotationStatus = Samples.rotation()) -> WaitClock {
    var clock = WaitClock(limit, at: start)
    clock.take(first, at: start)
    return clock
  }

  @Test("Each machine that is done gives it its time anew, and each check that has passed")
  func progress() {
    var clock = clock(.standstill(.seconds(300)))
    #expect(clock.deadline == start + .seconds(300))
    clock.take(Samples.rotation(done: 1, revision: 2), at: start + .seconds(200))
    #expect(clock.deadline == start + .seconds(500))
    var checked = Samples.rotation(done: 1, revision: 3)
    var check = RotationCheck()
    check.name = "reachable"
    check.state = .passed
    checked.machines[1].checks = [check]
    clock.take(checked, at: start + .seconds(300))
    #expect(clock.deadline == start + .seconds(600))
    checked.machines[1].checks = []
    checked.clusterChecks = [check]
    clock.take(checked, at: start + .seconds(310))
    #expect(clock.deadline == start + .seconds(610))
  }

  @Test("To try again, to go back, and to pass once more is no progress")
  func standstill() {
    var clock = clock(.standstill(.seconds(300)), Samples.rotation(.rotate, done: 3))
    var waiting = Samples.waiting()
    clock.take(waiting, at: start + .seconds(1))
    for second in 2..<200 {
      waiting.revision += 1
      waiting.machines[3].attempts += 1
      waiting.machines[3].nextAttemptAt = Samples.later(Int64(second))
      waiting.machines[3].state = second.isMultiple(of: 2) ? .applying : .waiting
      waiting.machines[2].state = second.isMultiple(of: 2) ? .verifying : .done
      clock.take(waiting, at: start + .seconds(second))
    }
    #expect(clock.deadline == start + .seconds(300))
  }

  @Test("A pause is something new, and a soak that ends by itself no standstill")
  func soak() {
    var clock = clock(.standstill(.seconds(300)), Samples.rotation(.rotate, done: 5))
    var paused = Samples.rotation(.rotate, done: 5, revision: 2, state: .paused)
    clock.take(paused, at: start + .seconds(100))
    #expect(clock.deadline == start + .seconds(400))
    paused.soakEndsAt = Samples.later(60 + 3600)
    clock.take(paused, at: start + .seconds(100))
    #expect(clock.deadline == start + .seconds(100 + 3600 + 300))
  }

  @Test("A limit of its own counts from the beginning, and 0 is none")
  func total() {
    var clock = clock(.total(.seconds(60)))
    clock.take(Samples.rotation(done: 1, revision: 2), at: start + .seconds(50))
    #expect(clock.deadline == start + .seconds(60))
    #expect(self.clock(.none).deadline == nil)
  }

  @Test(
    "Nobody waits longer for a rotation that stands still, however much it tells",
    .timeLimit(.minutes(1)))
  func follower() async throws {
    let asked = Mutex(0)
    let service = FollowTests.service { request, writer in
      asked.withLock { $0 += 1 }
      // The first call brings something new late in its time, the second soon.
      let call = asked.withLock { $0 }
      if call < 3 {
        try await Task.sleep(for: .milliseconds(call == 1 ? 1500 : 100))
        try await writer.write(Samples.rotation(done: call, revision: UInt64(call + 1)))
      }
      for revision in 100..<2000 {
        var status = Samples.rotation(done: min(call, 2), revision: UInt64(revision))
        status.machines[4].attempts = Int32(revision)
        try await writer.write(status)
        try await Task.sleep(for: .milliseconds(10))
      }
    }
    let report = Notes()
    let follower = RotationFollower(
      client: RPCClient(InProcessChannel(service.router)), cluster: "demo",
      limit: .standstill(.seconds(2)))
    let begun = ContinuousClock.now
    let outcome = try await follower.follow(Samples.rotation(), report: report)
    guard case .timedOut(let last) = outcome else { throw RPCError(.unknown, "\(outcome)") }
    #expect(last.machinesDone == 2)
    #expect(ContinuousClock.now - begun >= .milliseconds(3600))
    #expect(report.interruptions == 0, "omnid has answered all the time")
  }

  @Test("The default says what it waited for, and how to attach again", .timeLimit(.minutes(1)))
  func flags() throws {
    func limit(_ words: String...) throws -> WaitLimit? {
      guard
        case .run(let invocation) = try CommandParser.parse(
          FollowTests.rotate + words, root: CommandTree.root, environment: { _ in nil })
      else { return nil }
      return invocation.waitLimit
    }
    #expect(try limit() == .standstill(.seconds(300)))
    #expect(try limit("-t", "0") == WaitLimit.none)
    #expect(try limit("--wait-timeout", "90s") == .total(.seconds(90)))
  }

  private final class Notes: RotationReport {
    private let count = Mutex(0)

    var interruptions: Int { count.withLock { $0 } }

    func show(_ status: RotationStatus) {}
    func interrupted(_ reason: String) { count.withLock { $0 += 1 } }
    func resumed() {}
    func close() {}
  }
}
