internal import Schema

/// A rotation as lines of a log: one per change, the same for the same changes.
///
/// Statuses may have been skipped between two that are seen; what can still be said of them is.
struct RotationLog {
  private var last: RotationStatus?

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
      if let line = Self.line(machine, known) { lines.append(line) }
    }
    let summary = status.summary
    if summary != before?.summary { lines.append(summary) }
    if !status.error.isEmpty, status.error != before?.error, !summary.contains(status.error) {
      lines.append("error: \(status.error)")
    }
    if status.isOver, before?.isOver != true { lines.append(Self.ending(status)) }
    return lines.map(Printable.line)
  }

  /// A machine that is done, or that is being waited for, and was not before or for other reasons.
  private static func line(
    _ machine: MachineRotationStatus, _ known: MachineRotationStatus?
  ) -> String? {
    let name = "machine \(machine.machine) \(machine.phase.token)"
    switch machine.state {
    case .done:
      return known?.state == .done ? nil : "\(name): done"
    case .waiting:
      let reason = machine.obstacle
      if known?.state == .waiting && known?.obstacle == reason { return nil }
      return "\(name): waiting" + (reason.isEmpty ? "" : " for \(reason)")
    default: return nil
    }
  }

  private static func ending(_ status: RotationStatus) -> String {
    var line = "rotation of \(status.component.word) of cluster \(status.cluster): "
    line += status.state.word
    if let seconds = status.seconds(until: status.updatedAt ?? Timestamp()) {
      line += " after \(Moment.span(seconds))"
    }
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
    return detail.isEmpty ? check.name : "\(check.name): \(detail)"
  }
}
