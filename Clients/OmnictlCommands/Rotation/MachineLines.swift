internal import Schema

/// What is shown of a machine that is in work.
struct MachineLines {
  private let machine: MachineRotationStatus
  private let nameColumns: Int
  private let columns: Int
  private let now: Timestamp

  /// Lines that one reason may take.
  private static let reasonLines = 3

  init(_ machine: MachineRotationStatus, nameColumns: Int, columns: Int, now: Timestamp) {
    self.machine = machine
    self.nameColumns = nameColumns
    self.columns = columns
    self.now = now
  }

  /// Its state; and when something stands in its way, what, since when, and what happens next.
  var lines: [StyledLine] {
    var line = StyledLine("  ")
    let name = DisplayWidth.fit(Printable.line(machine.machine), to: nameColumns)
    line.append(DisplayWidth.pad(name, to: nameColumns))
    line.append("  ")
    let facts = self.facts
    if facts.isEmpty {
      line.append(machine.state.word, stateStyle)
    } else {
      line.append(DisplayWidth.pad(machine.state.word, to: 9), stateStyle)
      line.append("  \(facts)", machine.state == .waiting ? .plain : .dim)
    }
    guard machine.state == .waiting || machine.openCheck?.state == .failed else { return [line] }
    return [line]
      + reasons.flatMap { reason in
        DisplayWidth.wrap(Printable.line(reason), to: columns - 4, lines: Self.reasonLines)
          .map { StyledLine("    \($0)", .yellow) }
      }
  }

  private var stateStyle: StyledLine.Style { machine.state == .waiting ? .yellow : .plain }

  /// `for 50s, node-ready failing for 42s, try 4, next in 3s`, as far as they are known.
  private var facts: String {
    var facts: [String] = []
    let waiting = machine.state == .waiting ? machine.waitingSince.map(span(since:)) : nil
    let check = machine.openCheck
    let open = check?.since.map(span(since:))
    if let waiting, waiting != open { facts.append(waiting) }
    if let check {
      let name = check.state == .failed ? "\(check.name) failing" : check.name
      facts.append(open.map { "\(name) \($0)" } ?? name)
    }
    if machine.attempts > 1 { facts.append("try \(machine.attempts)") }
    if machine.state == .waiting, let next = machine.nextAttemptAt {
      facts.append("next in \(Moment.span(Moment.seconds(from: now, to: next)))")
    }
    return facts.joined(separator: ", ")
  }

  private func span(since start: Timestamp) -> String {
    "for \(Moment.span(Moment.seconds(from: start, to: now)))"
  }

  private var reasons: [String] {
    let check = machine.openCheck
    let detail = check?.detail ?? ""
    var reasons = detail.isEmpty ? [] : ["\(check?.name ?? ""): \(detail)"]
    if !machine.lastError.isEmpty, detail.isEmpty || !machine.lastError.contains(detail) {
      reasons.append("last error: \(machine.lastError)")
    }
    return reasons
  }
}

/// What is shown of checks that concern the cluster as a whole.
enum CheckLines {
  static func cluster(_ checks: [RotationCheck], now: Timestamp) -> [StyledLine] {
    checks.filter(\.isOpen).map { check in
      var line = StyledLine("  cluster  ")
      line.append(check.state == .failed ? "\(check.name) failing" : check.name, .yellow)
      if let since = check.since {
        line.append(" for \(Moment.span(Moment.seconds(from: since, to: now)))", .dim)
      }
      if !check.detail.isEmpty { line.append(": \(check.detail)") }
      return line
    }
  }
}
