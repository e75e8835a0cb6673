internal import Schema

/// A rotation as lines of a log: one per change, the same for the same changes, none cut.
///
/// Statuses may have been skipped between two that are seen; what can still be said of them is.
struct RotationLog {
  private(set) var last: RotationStatus?

  init() {}

  /// What a newer status says that the ones before have not said.
  mutating func lines(_ status: RotationStatus) -> [String] {
    let before = last
    last = status
    var lines: [String] = []
    if let before {
      if status.phase != before.phase, RotationPhase.all.contains(before.phase) {
        lines.append("stage \(before.phase.token) is over")
      }
      for note in status.notes where !before.notes.contains(note) { lines.append("note: \(note)") }
    }
    for machine in status.machines {
      let known = before?.machines.first {
        $0.machine == machine.machine && $0.phase == machine.phase
      }
      lines += Self.lines(machine, known)
    }
    let told = before.map { ClusterObstacle.all($0).map { $0.text(nil) } } ?? []
    for obstacle in ClusterObstacle.all(status).map({ $0.text(nil) })
    where !told.contains(obstacle) {
      lines.append("cluster \(status.phase.token): \(obstacle)")
    }
    let summary = status.summary
    if summary != before?.summary { lines.append(summary) }
    let isSaid =
      summary.contains(status.error)
      || status.machines.contains {
        !$0.lastError.isEmpty && status.error == "\($0.machine): \($0.lastError)"
      }
    if !status.error.isEmpty, status.error != before?.error, !isSaid {
      lines.append("error: \(status.error)")
    }
    if status.isOver, before?.isOver != true { lines.append(Self.ending(status)) }
    return lines.map(Printable.line)
  }

  /// A machine that is done, that is being waited for, or that was changed again, and was not before
  /// or for other reasons.
  private static func lines(
    _ machine: MachineRotationStatus, _ known: MachineRotationStatus?
  ) -> [String] {
    let name = "machine \(machine.machine) \(machine.phase.token)"
    var lines: [String] = []
    if machine.repetitions > known?.repetitions ?? 0 {
      lines.append(
        "\(name): somebody else undid the change; \(Repetition.text(machine.repetitions))")
    }
    switch machine.state {
    case .done where known?.state != .done: lines.append("\(name): done")
    case .waiting:
      let reason = machine.obstacle
      if known?.state == .waiting && known?.obstacle == reason { break }
      lines.append("\(name): waiting" + (reason.isEmpty ? "" : ": \(reason)"))
    default: break
    }
    return lines
  }

  /// What is being waited for, when nothing has changed for a while; nil before the first status.
  func heartbeat(_ reading: RotationAges.Reading) -> String? {
    guard let last else { return nil }
    let after = reading.total.map { " after \(Moment.span($0))" } ?? ""
    var parts = ["still \(last.status)\(after)"]
    for obstacle in MachineObstacle.all(last) {
      let advice = obstacle.advice(reading).map { "what to do: \($0)" } ?? ""
      let facts = [obstacle.facts(reading)] + obstacle.reasons + [advice]
      parts.append(
        "\(obstacle.names.joined(separator: ", ")) \(obstacle.state.word) "
          + facts.filter { !$0.isEmpty }.joined(separator: ": "))
    }
    parts += ClusterObstacle.all(last).map { obstacle in
      "cluster: \(obstacle.text(reading))"
        + (obstacle.advice(reading).map { ": what to do: \($0)" } ?? "")
    }
    if parts.count == 1, !last.step.isEmpty { parts.append(last.step) }
    return Printable.line(parts.joined(separator: "; "))
  }

  private static func ending(_ status: RotationStatus) -> String {
    var line = "rotation of \(status.component.word) of cluster \(status.cluster): "
    line += status.state.word
    if let seconds = status.lasted { line += " after \(Moment.span(seconds))" }
    if status.state == .succeeded, !status.newCAFingerprint.isEmpty {
      line += ", new CA \(status.newCAFingerprint)"
    }
    return line
  }
}

extension MachineRotationStatus {
  /// The check that stands in the way: one that failed before one that waits.
  var openCheck: RotationCheck? {
    checks.first { $0.state == .failed } ?? checks.first { $0.state == .waiting }
  }

  /// Why it is being waited for, in words that stay the same while the reason does.
  var obstacle: String {
    guard let check = openCheck else { return lastError }
    let detail = check.detail.isEmpty ? lastError : check.detail
    return detail.isEmpty ? check.obstacle : "\(check.obstacle): \(detail)"
  }
}
