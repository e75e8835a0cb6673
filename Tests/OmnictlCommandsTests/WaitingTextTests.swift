import Schema
import Synchronization
import Testing

@testable import OmnictlCommands

@Suite struct WaitingTextTests {
  /// Three machines that are waited for, two of them for the same, as far as their names go.
  static func several() -> RotationStatus {
    var status = Samples.waiting()
    let worker = status.machines[3]
    status.machines = (1...3).map { index in
      var machine = worker
      machine.machine = "worker-\(index)"
      machine.address = "10.0.0.\(index)"
      let reason = "node worker-\(index) is NotReady: no answer from 10.0.0.\(index)"
      machine.checks[0].detail = index == 3 ? "the kubelet is not there" : reason
      machine.lastError = machine.checks[0].detail
      machine.attempts = Int32(index)
      return machine
    }
    status.step = "waiting for machine worker-1 and 2 more: \(status.machines[0].lastError)"
    status.error = ""
    return status
  }

  static func gate() -> RotationStatus {
    var status = Samples.rotation(.rotate, done: 5)
    status.clusterChecks = ["cp-1", "cp-2", "worker-2"].map { name in
      var check = RotationCheck()
      check.name = "new-client-accepted"
      check.state = .failed
      check.detail =
        "\(name): certificate verify failed: the machine answers with a certificate of another CA"
      check.since = Samples.later(31)
      return check
    }
    status.step = "waiting for the cluster since 10:00: \(status.clusterChecks[0].detail)"
    return status
  }

  static func body(_ status: RotationStatus, columns: Int = 80, after: Int64 = 12) -> [String] {
    RotationView(style: .plain).lines(
      status, size: ScreenSize(columns: columns, rows: 24),
      reading: Samples.reading(status, after: after)
    ).dropFirst(4).map(\.text)
  }

  @Test("Machines that are waited for with the same reason are shown together")
  func grouped() {
    #expect(
      Self.body(Self.several()) == [
        "  2 machines  waiting    node not ready for 42s, try 2, next in 3s",
        "    worker-1, worker-2",
        "    node NAME is NotReady: no answer from ADDRESS",
        "  worker-3    waiting    node not ready for 42s, try 3, next in 3s",
        "    the kubelet is not there",
      ])
  }

  @Test("A name or an address is not taken out of a longer one")
  func wholeNames() {
    func body(_ reason: (Int) -> String) -> [String] {
      var status = Self.several()
      status.machines = (0..<2).map { index in
        var machine = status.machines[index]
        machine.lastError = reason(index + 1)
        machine.checks = []
        return machine
      }
      return Self.body(status, columns: 200)
    }
    for reason: (Int) -> String in [
      { "worker-\($0)0 is in the way of worker-\($0)" }, { "my-worker-\($0) is in the way" },
      { "worker-\($0).example is in the way" }, { "no answer from 10.0.0.\($0)1" },
    ] {
      let lines = body(reason)
      for index in 1...2 {
        #expect(lines.contains { $0.contains(reason(index)) }, "\(lines)")
      }
    }
    let same = body { "worker-\($0) (10.0.0.\($0)) is down." }
    #expect(same.contains { $0.contains("NAME (ADDRESS) is down.") }, "\(same)")
  }

  @Test("Gate lines say what is missing, are grouped by reason and broken at 80 columns, not cut")
  func gates() {
    #expect(
      Self.body(Self.gate()) == [
        "  cluster  new client not let in yet for 41s: cp-1, cp-2, worker-2:",
        "    certificate verify failed: the machine answers with a certificate of",
        "    another CA",
      ])
  }

  @Test("No word of a reason is lost at any width that has room for it")
  func whole() {
    for status in [Self.several(), Self.gate()] {
      let wide = Self.body(status, columns: 400)
      for columns in [40, 60, 79, 80, 81, 120] {
        let lines = Self.body(status, columns: columns)
        #expect(
          lines.joined().filter { $0 != " " } == wide.joined().filter { $0 != " " }, "\(columns)")
        #expect(!lines.contains { $0.contains("…") })
      }
    }
  }

  @Test("A machine that has been changed for long shows for how long, and who has not answered")
  func applying() {
    var status = Samples.rotation()
    status.machines[0].state = .applying
    status.machines[0].address = "10.0.0.5"
    status.machines[0].port = 50000
    status.step = ""
    #expect(Self.body(status, after: 4) == ["  cp-1  applying"])
    #expect(
      Self.body(status, after: 8)
        == ["  cp-1  applying   for 8s: no answer from 10.0.0.5:50000 yet"])
  }

  @Test(
    "How often a change had to be made again is shown",
    arguments: [
      (0, ""), (1, "applied again, 2nd time"), (2, "applied again, 3rd time"),
      (3, "applied again, 4th time"), (10, "applied again, 11th time"),
      (20, "applied again, 21st time"), (111, "applied again, 112th time"), (-1, ""),
    ])
  func repeated(count: Int32, text: String) {
    #expect(Repetition.text(count) == text)
    var status = Samples.waiting()
    status.machines[3].repetitions = count
    let shown = Self.body(status).joined(separator: " ")
    #expect(shown.contains("applied again") == !text.isEmpty)
    #expect(text.isEmpty || shown.contains(text))
  }

  @Test("The log says when a change had to be made again, once each time")
  func repeatedInLog() {
    var log = RotationLog()
    var status = Samples.rotation()
    _ = log.lines(status)
    for count: Int32 in [1, 1] { status.machines[0].repetitions = count }
    #expect(
      log.lines(status)
        == ["machine cp-1 PRE_ROTATE: somebody else undid the change; applied again, 2nd time"])
    #expect(log.lines(status).isEmpty)
  }

  @Test("The log names what a gate waits for once, whole, and again when it changes")
  func gateInLog() {
    var log = RotationLog()
    var status = Self.gate()
    let line =
      "cluster ROTATE: new client not let in yet: cp-1, cp-2, worker-2: certificate verify failed: "
      + "the machine answers with a certificate of another CA"
    #expect(log.lines(status).contains(line))
    #expect(log.lines(status).isEmpty)
    status.clusterChecks.removeFirst()
    #expect(
      log.lines(status) == [
        line.replacing("cp-1, ", with: "")
      ])
  }

  @Test("Every check that the server makes has words of its own, and others keep their names")
  func wordings() {
    var check = RotationCheck()
    for name in [
      "reachable", "config-applied", "accepted", "issuing", "server-leaf", "new-client-accepted",
      "old-client-accepted", "old-refused", "node-ready", "kube-root-ca", "control-plane-pods",
    ] {
      check.name = name
      check.state = .waiting
      #expect(!check.obstacle.contains(name) || name == "reachable", "\(name)")
    }
    check.name = "something-new"
    #expect(check.obstacle == "something-new not yet")
    check.state = .failed
    #expect(check.obstacle == "something-new fails")
  }

  @Test("Where there is no terminal, a line says now and then what is being waited for")
  func heartbeat() {
    let time = Mutex(Duration.zero)
    let output = Recorder()
    let report = LineReport(
      output: output, errors: Recorder(), uptime: { time.withLock { $0 } })
    defer { report.close() }
    report.beat()
    report.show(Self.several())
    let before = output.lines.count
    time.withLock { $0 = .seconds(29) }
    report.beat()
    #expect(output.lines.count == before)
    time.withLock { $0 = .seconds(30) }
    report.beat()
    report.beat()
    #expect(output.lines.count == before + 1)
    #expect(
      output.lines.last
        == "still rotation phase ROTATE 3/5 after 1m30s; worker-1, worker-2 waiting node not ready "
        + "for 1m00s, try 2, next in 0s: node NAME is NotReady: no answer from ADDRESS: "
        + "what to do: see why: kubectl describe node MACHINE; worker-3 waiting node not ready for 1m00s, try 3, "
        + "next in 0s: the kubelet is not there: what to do: see why: kubectl describe node worker-3"
    )
    report.interrupted("connection refused")
    time.withLock { $0 = .seconds(75) }
    report.beat()
    #expect(output.lines.last == "omnid has not answered for 45s: connection refused")
  }

  @Test("Without a terminal a reason of any length is one whole line")
  func long() {
    var status = Samples.waiting()
    let reason = String(repeating: "why not ", count: 60) + "end"
    status.machines[3].checks[0].detail = reason
    var log = RotationLog()
    #expect(log.lines(status).contains { $0.hasSuffix(reason) })
  }

  @Test("A status that is shown once has whole lines without a terminal, and broken ones on it")
  func still() async {
    var status = Samples.waiting()
    let reason = String(repeating: "why not ", count: 60) + "end"
    status.machines[3].checks[0].detail = reason
    status.machines[3].lastError = reason
    var service = FakeService()
    service.status = { [status] _ in
      var response = GetRotationStatusResponse()
      response.status = status
      return response
    }
    let line = ["cluster", "-n", "demo", "secret", "rotate", "status", "--wait=false"]
    let plain = Bench(service)
    #expect(await plain.run(line) == .done)
    #expect(plain.output.lines.contains("    " + reason))
    let screen = Bench(service, screen: true)
    #expect(await screen.run(line) == .done)
    #expect(screen.output.lines.allSatisfy { DisplayWidth.of($0) < 80 })
    #expect(screen.output.text.contains("end") && !screen.output.text.contains("…"))
  }

  @Test("The end of a success prints what comes next, on a terminal and without one")
  func nextSteps() async {
    var done = Samples.succeeded()
    done.nextSteps = ["issue fresh talosconfigs", "back up the store: it alone has the new key"]
    for screen in [false, true] {
      let bench = Bench(
        FollowTests.service { [done] _, writer in try await writer.write(done) }, screen: screen)
      #expect(await bench.run(FollowTests.rotate) == .done)
      #expect(
        bench.output.text.hasSuffix(
          """
          what comes next:
            - issue fresh talosconfigs
            - back up the store: it alone has the new key

          """))
    }
    var service = FakeService()
    service.status = { [done] _ in
      var response = GetRotationStatusResponse()
      response.status = done
      return response
    }
    let later = Bench(service)
    #expect(await later.run("cluster", "-n", "demo", "secret", "rotate", "status") == .done)
    #expect(later.output.text.contains("what comes next:\n  - issue fresh"))
  }

  @Test("With -o json what is told of the server meanwhile is JSON too")
  func notices() {
    let errors = Recorder()
    let report = JSONReport(output: Recorder(), errors: errors)
    report.interrupted("connection \"refused\"")
    report.interrupted("connection \"refused\"")
    report.resumed()
    #expect(
      errors.lines == [
        #"{"notice":"omnid does not answer (connection \"refused\"); asking again"}"#,
        #"{"notice":"omnid answers again"}"#,
      ])
  }
}
