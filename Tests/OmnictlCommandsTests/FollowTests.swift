import ProtoCodec
import RPC
import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite struct FollowTests {
  static let rotate = ["cluster", "-n", "demo", "secret", "rotate", "talos-ca"]

  /// A service whose rotation has started; the watch is the test's.
  static func service(
    first: RotationStatus = Samples.rotation(), attached: Bool = false,
    watch:
      @escaping @Sendable (
        WatchRotationStatusRequest, ResponseWriter<WatchRotationStatusResponse>
      ) async throws -> Void
  ) -> FakeService {
    var service = FakeService()
    service.rotate = { _ in RotateSecretResponse(first, attached: attached) }
    service.watch = watch
    return service
  }

  @Test("A rotation is followed to its end, in lines, from the revision that is known")
  func lines() async {
    let asked = Mutex<[WatchRotationStatusRequest]>([])
    let bench = Bench(
      Self.service { request, writer in
        asked.withLock { $0.append(request) }
        try await writer.write(Samples.rotation(.preRotate, done: 1, revision: 2))
        try await writer.write(Samples.rotation(.rotate, done: 1, revision: 3))
        try await writer.write(Samples.succeeded())
      })
    #expect(await bench.run(Self.rotate) == .done)
    #expect(bench.errors.text.isEmpty)
    #expect(bench.output.lines.first == "rotation of talos-ca of cluster demo started (r-1)")
    #expect(bench.output.lines.contains("machine cp-1 PRE_ROTATE: done"))
    #expect(bench.output.lines.last?.contains("SUCCEEDED") == true)
    let request = asked.withLock { $0 }
    #expect(request.count == 1 && request[0].afterRevision == 1 && request[0].stopWhenIdle)
  }

  @Test("Only what has changed is asked for, and what has not is still known")
  func changes() async {
    let bench = Bench(
      Self.service { request, writer in
        guard request.changesOnly else { throw RPCError(.invalidArgument, "not asked for") }
        let whole = Samples.rotation(.preRotate, done: 1, revision: 2)
        try await writer.write(whole)
        let next = Samples.rotation(.preRotate, done: 2, revision: 3)
        var change = WatchRotationStatusResponse()
        change.machinesChangedOnly = true
        var status = next
        status.component = .unspecified
        status.startedAt = nil
        status.oldCAFingerprint = ""
        status.newCAFingerprint = ""
        status.machines = zip(whole.machines, next.machines).filter { $0 != $1 }.map(\.1)
        change.status = status
        try await writer.write(change)
        try await writer.write(Samples.succeeded())
      })
    #expect(await bench.run(Self.rotate) == .done)
    #expect(bench.errors.text.isEmpty)
    #expect(bench.output.lines.contains("machine cp-1 PRE_ROTATE: done"))
    #expect(bench.output.lines.contains("machine cp-2 PRE_ROTATE: done"))
  }

  @Test("Attaching says so")
  func attaches() async {
    let bench = Bench(
      Self.service(attached: true) { _, writer in try await writer.write(Samples.succeeded()) })
    #expect(await bench.run(Self.rotate) == .done)
    #expect(
      bench.output.lines.first
        == "rotation of talos-ca of cluster demo is in progress: attached (r-1)")
  }

  @Test("A restart of the server in between is told and survived, from the last revision on")
  func restart() async {
    let asked = Mutex<[UInt64]>([])
    let bench = Bench(
      Self.service { request, writer in
        let attempt = asked.withLock {
          $0.append(request.afterRevision)
          return $0.count
        }
        switch attempt {
        case 1:
          try await writer.write(Samples.rotation(.preRotate, done: 1, revision: 7))
          throw RPCError(.unavailable, "the connection was lost")
        case 2, 3: throw RPCError(.unavailable, "connection refused")
        case 4:
          try await writer.write(Samples.rotation(.preRotate, done: 1, revision: 7))
          try await writer.write(Samples.rotation(.postRotate, done: 4, revision: 30))
          throw RPCError(.unavailable, "the server is draining")
        default: try await writer.write(Samples.succeeded())
        }
      })
    #expect(await bench.run(Self.rotate) == .done)
    // Asked again for the revision that is known, whose coming says that the server answers.
    #expect(asked.withLock { $0 } == [1, 6, 6, 6, 29])
    #expect(
      bench.errors.lines == [
        "omnictl: omnid does not answer (the connection was lost); asking again",
        "omnictl: omnid does not answer (connection refused); asking again",
        "omnictl: omnid answers again",
        "omnictl: omnid does not answer (the server is draining); asking again",
        "omnictl: omnid answers again",
      ])
    #expect(bench.output.lines.filter { $0 == "machine cp-1 PRE_ROTATE: done" }.count == 1)
  }

  @Test("A server whose journal is older than the revision is asked from the beginning")
  func olderJournal() async {
    let asked = Mutex<[UInt64]>([])
    let bench = Bench(
      Self.service { request, writer in
        asked.withLock { $0.append(request.afterRevision) }
        guard request.afterRevision == 0 else {
          throw RPCError(.invalidArgument, "after_revision lies ahead")
        }
        try await writer.write(Samples.succeeded(revision: 0))
      })
    #expect(await bench.run(Self.rotate) == .done)
    #expect(asked.withLock { $0 } == [1, 0])
  }

  @Test("A wait that times out exits with 4 and says how to attach again", .timeLimit(.minutes(1)))
  func timeout() async {
    let bench = Bench(
      Self.service { _, _ in try await Task.sleep(for: .seconds(600)) })
    #expect(await bench.run(Self.rotate + ["--wait-timeout", "50ms"]) == .waitTimedOut)
    #expect(bench.errors.lines.count == 1)
    #expect(bench.errors.text.contains("the rotation goes on"))
    #expect(
      bench.errors.text.hasSuffix("attach again: omnictl cluster -n demo secret rotate status\n"))
  }

  @Test("A wait times out also while the server is away", .timeLimit(.minutes(1)))
  func timeoutWhileAway() async {
    let bench = Bench(Self.service { _, _ in throw RPCError(.unavailable, "connection refused") })
    #expect(await bench.run(Self.rotate + ["-t", "2s"]) == .waitTimedOut)
    #expect(bench.errors.lines.count == 2)
  }

  @Test("A wait timeout of 0 waits for ever, not for nothing")
  func forEver() async {
    let bench = Bench(
      Self.service { _, writer in
        try await Task.sleep(for: .milliseconds(150))
        try await writer.write(Samples.succeeded())
      })
    #expect(await bench.run(Self.rotate + ["-t", "0"]) == .done)
  }

  @Test("A rotation that fails exits with 1, with its reason on standard error")
  func failure() async {
    let bench = Bench(
      Self.service { _, writer in try await writer.write(Samples.failed("disk full")) })
    #expect(await bench.run(Self.rotate) == .failed)
    #expect(
      bench.errors.text
        == "omnictl: the rotation of talos-ca failed: disk full; its details: "
        + "omnictl cluster -n demo secret rotate history\n")
  }

  @Test("A stream that ends, or shows another rotation, is settled by the history")
  func superseded() async {
    for showsOther in [true, false] {
      var service = Self.service { _, writer in
        guard showsOther else { return }
        var other = Samples.rotation(revision: 200)
        other.rotationID = "r-2"
        try await writer.write(other)
      }
      service.history = { _ in
        var response = ListRotationsResponse()
        var other = Samples.rotation(revision: 200)
        other.rotationID = "r-2"
        response.rotations = [other, Samples.succeeded()]
        return response
      }
      let bench = Bench(service)
      #expect(await bench.run(Self.rotate) == .done)
      #expect(bench.output.lines.last?.contains("SUCCEEDED") == true)
    }
  }

  @Test("A cluster that is forgotten in between exits with 5")
  func forgotten() async {
    let bench = Bench(Self.service { _, _ in throw RPCError(.notFound, "no cluster named 'demo'") })
    #expect(await bench.run(Self.rotate) == .notFound)
  }

  @Test("A rotation that is over when it is answered needs no watch")
  func overAtOnce() async {
    let bench = Bench(
      Self.service(first: Samples.succeeded()) { _, _ in throw RPCError(.internalError, "unwanted")
      })
    #expect(await bench.run(Self.rotate) == .done)
  }

  @Test("With JSON each update is one object on one line")
  func json() async throws {
    let bench = Bench(
      Self.service { _, writer in
        try await writer.write(Samples.rotation(.rotate, done: 2, revision: 5))
        try await writer.write(Samples.succeeded())
      })
    #expect(await bench.run(Self.rotate + ["-o", "json"]) == .done)
    let statuses = try bench.output.lines.map { try RotationStatus(json: $0) }
    #expect(
      statuses == [
        Samples.rotation(), Samples.rotation(.rotate, done: 2, revision: 5), Samples.succeeded(),
      ])
  }

  @Test("On a terminal the view is redrawn in place, and the cursor comes back")
  func live() async {
    let bench = Bench(
      Self.service { _, writer in
        try await writer.write(Samples.waiting())
        try await writer.write(Samples.rotation(.postRotate, done: 4, revision: 60))
        try await writer.write(Samples.succeeded())
      }, screen: true)
    #expect(await bench.run(Self.rotate) == .done)
    var terminal = TerminalModel("")
    terminal.feed(bench.output.text)
    #expect(terminal.unknown.isEmpty)
    #expect(terminal.isCursorVisible)
    #expect(
      terminal.screen == [
        "rotation of talos-ca of cluster demo started (r-1)",
        "demo  Talos API CA  SUCCEEDED  1m12s",
        "  PRE-ROTATE  ██████████████████████████████  5/5",
        "  ROTATE      ██████████████████████████████  5/5",
        "  POST-ROTATE ██████████████████████████████  5/5",
        "  rotation succeeded: every machine accepts the new CA alone",
        "  new CA \(String(repeating: "ab", count: 32))",
        "",
      ])
    #expect(bench.signals.current == nil)
  }

  @Test("A signal gives the cursor back, and a command that goes on draws below")
  func signals() {
    let screen = Recorder()
    let errors = Recorder()
    let signals = FakeSignals()
    let report = LiveReport(
      screen: screen, errors: errors, signals: signals, uptime: { .zero }, farewell: "bye")
    report.show(Samples.rotation())
    var terminal = TerminalModel("")
    terminal.feed(screen.text)
    #expect(!terminal.isCursorVisible)
    signals.current?.leaving(isStop: true)
    #expect(errors.text.isEmpty)
    let drawn = screen.text
    report.show(Samples.rotation(done: 1, revision: 2))
    #expect(screen.text == drawn, "nothing is drawn between the signal and its effect")
    var stopped = TerminalModel("")
    stopped.feed(screen.text)
    #expect(stopped.isCursorVisible)
    signals.current?.continued()
    signals.current?.leaving(isStop: false)
    var left = TerminalModel("")
    left.feed(screen.text)
    #expect(left.isCursorVisible)
    #expect(left.screen.filter { $0.hasPrefix("demo") }.count == 2)
    #expect(errors.text == "omnictl: bye\n")
    report.close()
    #expect(signals.current == nil)
  }

  @Test("In the background nothing is drawn, and back in the foreground it goes on")
  func background() {
    let screen = Recorder()
    let report = LiveReport(
      screen: screen, errors: Recorder(), signals: FakeSignals(), uptime: { .zero }, farewell: "")
    screen.moves(toForeground: false)
    report.show(Samples.rotation())
    #expect(screen.text.isEmpty)
    screen.moves(toForeground: true)
    report.windowChanged()
    #expect(screen.text.contains("RUNNING"))
    report.close()
  }

  @Test("--wait=false returns once the rotation is recorded")
  func noWait() async throws {
    let service = Self.service { _, _ in throw RPCError(.internalError, "unwanted") }
    let bench = Bench(service)
    #expect(await bench.run(Self.rotate + ["--wait=false"]) == .done)
    #expect(bench.output.lines.count == 2)
    let json = Bench(service)
    #expect(await json.run(Self.rotate + ["-w=false", "-o", "json"]) == .done)
    let answer = try RotateSecretResponse(json: json.output.text)
    #expect(answer.status?.rotationID == "r-1")
  }
}
