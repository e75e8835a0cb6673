import Schema
import Testing

@testable import OmnictlCommands

@Suite struct RotationViewTests {
  let view = RotationView(style: .plain)
  let size = ScreenSize(columns: 90, rows: 30)

  func text(_ status: RotationStatus, link: RotationView.Link = .connected) -> String {
    view.lines(status, size: size, reading: Samples.reading(status), link: link).map(\.text).joined(
      separator: "\n")
  }

  @Test("A rotation in its first stage")
  func first() {
    #expect(
      text(Samples.rotation(done: 1)) == """
        demo  Talos API CA  RUNNING  1m12s
          PRE-ROTATE  ██████░░░░░░░░░░░░░░░░░░░░░░░░  1/5
          ROTATE      ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0/5
          POST-ROTATE ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0/5
          cp-2  verifying
          rotating secret for machines: [cp-2]
        """)
  }

  @Test("A machine that is waited for: which check, since when, the error, the next try")
  func waiting() {
    #expect(
      text(Samples.waiting()) == """
        demo  Talos API CA  RUNNING  1m12s
          PRE-ROTATE  ██████████████████████████████  5/5
          ROTATE      ██████████████████░░░░░░░░░░░░  3/5
          POST-ROTATE ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0/5
          worker-1  waiting    node not ready for 42s, try 4, next in 3s
            node worker-1 is NotReady: kubelet stopped posting
          worker-2  applying   for 12s
          rotating secret for machines: [worker-2]
        """)
  }

  @Test("A long reason is shown whole, and the server's line is left out when it says the same")
  func longReason() {
    var status = Samples.waiting()
    status.machines[4].state = .pending
    status.machines[3].checks = []
    status.machines[3].lastError =
      "could not read MachineConfigs.config.talos.dev: tls:127.0.10.4:50000: connect: refused"
    status.step = "waiting for machine worker-1 since 10:00: \(status.machines[3].lastError)"
    status.error = "worker-1: \(status.machines[3].lastError)"
    let lines = view.lines(
      status, size: ScreenSize(columns: 60, rows: 30), reading: Samples.reading(status))
    #expect(
      lines.dropFirst(4).map(\.text) == [
        "  worker-1  waiting    for 42s, try 4, next in 3s",
        "    could not read MachineConfigs.config.talos.dev:",
        "    tls:127.0.10.4:50000: connect: refused",
      ])
  }

  @Test("The end: all bars are full, and the new CA is named")
  func ended() {
    #expect(
      text(Samples.succeeded()) == """
        demo  Talos API CA  SUCCEEDED  1m12s
          PRE-ROTATE  ██████████████████████████████  5/5
          ROTATE      ██████████████████████████████  5/5
          POST-ROTATE ██████████████████████████████  5/5
          rotation succeeded: every machine accepts the new CA alone
          new CA \(String(repeating: "ab", count: 32))
        """)
  }

  @Test("A failure says why")
  func failed() {
    let lines = text(Samples.failed("the CA could not be made"))
    #expect(lines.contains("FAILED"))
    #expect(lines.hasSuffix("  the CA could not be made"))
  }

  @Test("Checks of the cluster as a whole are shown while they are open")
  func clusterChecks() {
    var status = Samples.rotation(.rotate, done: 5)
    var check = RotationCheck()
    check.name = "nodes-ready"
    check.state = .waiting
    check.detail = "4 of 5 nodes are ready"
    check.since = Samples.later(60)
    status.clusterChecks = [check]
    #expect(text(status).contains("  cluster  nodes-ready not yet for 12s: 4 of 5 nodes are ready"))
    status.clusterChecks[0].state = .passed
    #expect(!text(status).contains("nodes-ready"))
  }

  @Test("A server that does not answer is told of below the last known status")
  func lost() {
    let link = RotationView.Link.lost(reason: "connection refused", seconds: 2)
    #expect(
      text(Samples.rotation(), link: link)
        .hasSuffix("  omnid has not answered for 2s: connection refused"))
  }

  @Test("Whatever the size of the terminal, the view stays within it")
  func fits() {
    var many = Samples.waiting()
    for index in 0..<40 {
      var machine = many.machines[3]
      machine.machine = "worker-with-a-long-name-\(index)"
      many.machines.append(machine)
    }
    many.notes = ["worker-9 joined the cluster during ROTATE"]
    for status in [Samples.rotation(), Samples.waiting(), Samples.succeeded(), many] {
      for columns in [1, 2, 5, 10, 19, 20, 21, 40, 79, 80, 81, 200] {
        for rows in [1, 2, 3, 4, 5, 6, 7, 8, 12, 24, 60] {
          let lines = view.lines(
            status, size: ScreenSize(columns: columns, rows: rows),
            reading: Samples.reading(status))
          #expect(lines.count <= max(1, rows - 1))
          #expect(lines.allSatisfy { $0.width <= max(1, columns - 1) })
        }
      }
    }
  }

  @Test("Names of wide characters take the columns that they take, at 40 columns too")
  func wideNames() {
    var status = Samples.waiting()
    for index in status.machines.indices { status.machines[index].machine = "機械室の節点-\(index)" }
    for columns in [40, 80] {
      let lines = view.lines(
        status, size: ScreenSize(columns: columns, rows: 30), reading: Samples.reading(status))
      #expect(lines.allSatisfy { $0.width < columns }, "\(lines.map(\.text))")
      let text = lines.map(\.text).joined(separator: "\n")
      #expect(text.contains("機械室の節点-3") && !text.contains("…"), "\(text)")
    }
  }

  @Test("Machines that have no room are counted")
  func overflow() {
    var many = Samples.waiting()
    many.error = ""
    many.machines = (0..<40).map { index in
      var machine = Samples.waiting().machines[3]
      machine.machine = "worker-\(index)"
      machine.checks[0].detail = "reason \(index)"
      machine.lastError = "reason \(index)"
      return machine
    }
    let lines = view.lines(
      many, size: ScreenSize(columns: 80, rows: 16), reading: Samples.reading(many))
    #expect(lines.count == 14)
    #expect(lines.contains { $0.text == "  … and 36 more in work" })
  }

  @Test("Without UTF-8 the bars are ASCII; without colour there are no escapes")
  func ascii() {
    let view = RotationView(style: ScreenStyle(hasColor: false, hasUnicode: false))
    let status = Samples.rotation(done: 1)
    let lines = view.lines(status, size: size, reading: Samples.reading(status))
    #expect(lines[1].text == "  PRE-ROTATE  ######------------------------  1/5")
    #expect(lines.allSatisfy { !$0.rendered(hasColor: false).contains("\u{1B}") })
    #expect(lines.contains { $0.rendered(hasColor: true).contains("\u{1B}[") })
  }

  @Test("Names and errors cannot reach the terminal as commands")
  func hostile() {
    var status = Samples.waiting()
    status.cluster = "de\u{1B}[2Jmo"
    status.machines[3].machine = "w\u{9B}31m"
    status.machines[3].lastError = "a\u{07}\nb"
    status.step = "x\u{1B}]0;title\u{07}"
    #expect(!text(status).unicodeScalars.contains { $0 != "\n" && Printable.isHarmful($0) })
  }

  @Test("Numbers that make no sense do no harm")
  func nonsense() {
    var status = Samples.rotation()
    for (done, total) in [(-1, 5), (9, 5), (0, 0), (Int32.max, Int32.max), (Int32.min, Int32.min)]
      as [(Int32, Int32)]
    {
      status.machinesDone = done
      status.machinesTotal = total
      status.phase = RotationPhase(rawValue: 77)
      #expect(!text(status).isEmpty)
      status.phase = .rotate
      #expect(!text(status).isEmpty)
    }
  }
}

@Suite struct FramePainterTests {
  let painter = FramePainter()

  func lines(_ texts: String...) -> [StyledLine] { texts.map { StyledLine($0) } }

  @Test("A frame takes the place of the one before, also when it is shorter")
  func inPlace() {
    var terminal = TerminalModel("$ omnictl\n")
    terminal.feed(painter.frame(lines("first", "second", "third"), hasColor: false))
    #expect(terminal.screen == ["$ omnictl", "", "first", "second", "third"])
    terminal.feed(painter.frame(lines("one"), hasColor: false))
    #expect(terminal.screen.prefix(3) == ["$ omnictl", "", "one"])
    #expect(!terminal.screen.contains("second") && !terminal.screen.contains("third"))
    #expect(terminal.unknown.isEmpty)
  }

  @Test("Between frames the cursor stands in an empty line above the frame")
  func cursor() {
    var terminal = TerminalModel("$ omnictl\n")
    terminal.feed(painter.frame(lines("first", "second"), hasColor: false))
    #expect(terminal.row == 1 && terminal.column == 0)
    #expect(terminal.screen[1].isEmpty)
  }

  @Test("What another program writes in between stays, whole and above the frame")
  func otherProgram() {
    var terminal = TerminalModel("$ omnictl\n")
    terminal.feed(painter.frame(lines("first", "second"), hasColor: false))
    terminal.feed("kernel: usb 1-1\n")
    terminal.feed(painter.frame(lines("first", "second"), hasColor: false))
    terminal.feed("kernel: usb 1-2\n")
    terminal.feed(painter.last(lines("end"), hasColor: false))
    #expect(
      terminal.screen.filter { !$0.isEmpty }
        == ["$ omnictl", "kernel: usb 1-1", "kernel: usb 1-2", "end"])
  }

  @Test("The last frame has no empty line above it, and the cursor below it")
  func last() {
    var terminal = TerminalModel("$ omnictl\n")
    terminal.feed(painter.frame(lines("first", "second"), hasColor: false))
    terminal.feed("^C")
    terminal.feed(painter.last(lines("the end", "of it"), hasColor: false))
    terminal.feed("$ ")
    #expect(terminal.screen == ["$ omnictl", "the end", "of it", "$"])
  }

  @Test("Styles stand within the lines, where the terminal knows them")
  func styles() {
    let line = [StyledLine("red", .red)]
    #expect(painter.frame(line, hasColor: true).contains("\u{1B}[31mred\u{1B}[0m"))
    #expect(!painter.frame(line, hasColor: false).contains("[31m"))
  }
}
