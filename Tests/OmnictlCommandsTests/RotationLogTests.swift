import Schema
import Testing

@testable import OmnictlCommands

@Suite struct RotationLogTests {
  @Test("A rotation reads as one line per change")
  func whole() {
    var log = RotationLog()
    var lines: [String] = []
    for status in [
      Samples.rotation(.preRotate, done: 0), Samples.rotation(.preRotate, done: 0),
      Samples.rotation(.preRotate, done: 1), Samples.rotation(.preRotate, done: 4),
      Samples.rotation(.rotate, done: 3), Samples.waiting(), Samples.waiting(),
      Samples.rotation(.rotate, done: 4), Samples.succeeded(),
    ] { lines += log.lines(status) }
    #expect(
      lines == [
        "rotation phase PRE_ROTATE 0/5: rotating secret for machines: [cp-1]",
        "machine cp-1 PRE_ROTATE: done",
        "rotation phase PRE_ROTATE 1/5: rotating secret for machines: [cp-2]",
        "machine cp-2 PRE_ROTATE: done",
        "machine cp-3 PRE_ROTATE: done",
        "machine worker-1 PRE_ROTATE: done",
        "rotation phase PRE_ROTATE 4/5: rotating secret for machines: [worker-2]",
        "stage PRE_ROTATE is over",
        "machine cp-1 ROTATE: done",
        "machine cp-2 ROTATE: done",
        "machine cp-3 ROTATE: done",
        "rotation phase ROTATE 3/5: rotating secret for machines: [worker-1]",
        "machine worker-1 ROTATE: waiting: node not ready: node worker-1 is NotReady: kubelet stopped posting",
        "rotation phase ROTATE 3/5: rotating secret for machines: [worker-2]",
        "machine worker-1 ROTATE: done",
        "rotation phase ROTATE 4/5: rotating secret for machines: [worker-2]",
        "stage ROTATE is over",
        "machine cp-1 POST_ROTATE: done",
        "machine cp-2 POST_ROTATE: done",
        "machine cp-3 POST_ROTATE: done",
        "machine worker-1 POST_ROTATE: done",
        "machine worker-2 POST_ROTATE: done",
        "rotation succeeded: every machine accepts the new CA alone",
        "rotation of talos-ca of cluster demo: SUCCEEDED after 1m12s, new CA "
          + String(repeating: "ab", count: 32),
      ])
  }

  @Test("A reason that changes is told, one that stays is not")
  func reasons() {
    var log = RotationLog()
    var status = Samples.waiting()
    _ = log.lines(status)
    status.revision += 1
    status.machines[3].attempts += 1
    #expect(log.lines(status).isEmpty)
    status.machines[3].checks[0].detail = "connection refused"
    #expect(
      log.lines(status) == ["machine worker-1 ROTATE: waiting: node not ready: connection refused"])
  }

  @Test("What keeps the whole from going on is told, unless a machine's line has said it")
  func errors() {
    var log = RotationLog()
    var status = Samples.rotation()
    status.error = "members of the cluster cannot be read"
    #expect(log.lines(status).last == "error: members of the cluster cannot be read")
    #expect(log.lines(status).isEmpty)
    status = Samples.waiting()
    #expect(!log.lines(status).contains { $0.hasPrefix("error:") })
  }

  @Test("Notes are told once")
  func notes() {
    var log = RotationLog()
    var status = Samples.rotation()
    _ = log.lines(status)
    status.notes = ["worker-3 joined"]
    #expect(log.lines(status) == ["note: worker-3 joined"])
    status.notes = ["worker-3 joined", "worker-3 left"]
    #expect(log.lines(status) == ["note: worker-3 left"])
  }

  @Test("Every line is one line")
  func harmless() {
    var log = RotationLog()
    var status = Samples.waiting()
    status.step = "a\nb\u{1B}[31m"
    status.machines[3].checks[0].detail = "x\r\ny"
    for line in log.lines(status) {
      #expect(!line.unicodeScalars.contains { Printable.isHarmful($0) })
    }
  }
}
