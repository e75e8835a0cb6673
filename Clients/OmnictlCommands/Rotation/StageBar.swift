internal import Schema

/// The bar of one stage: how many machines have finished it.
struct StageBar: Equatable {
  let phase: RotationPhase
  let done: Int
  let total: Int
  let isCurrent: Bool

  init(_ status: RotationStatus, _ phase: RotationPhase) {
    self.phase = phase
    let total = max(0, Int(status.machinesTotal))
    let isPast =
      phase.rawValue < status.phase.rawValue
      || (status.state == .succeeded && phase.rawValue <= RotationPhase.postRotate.rawValue)
    isCurrent = phase == status.phase && !status.isOver
    self.total = total
    if isPast {
      done = total
    } else {
      done = phase == status.phase ? min(total, max(0, Int(status.machinesDone))) : 0
    }
  }

  private var isFull: Bool { total > 0 && done == total }

  /// `  ROTATE       ████████░░░░  2/5`; without the bar where there is no room for one.
  func line(columns: Int, style: ScreenStyle) -> StyledLine {
    let count = "\(done)/\(total)"
    var line = StyledLine()
    line.append("  ")
    line.append(DisplayWidth.pad(phase.word, to: 12), isCurrent ? .bold : .plain)
    let room = columns - 2 - 12 - 2 - count.count
    if room >= 6 {
      let cells = min(30, room)
      let filled = total == 0 ? 0 : cells * done / total
      let (full, empty) = style.hasUnicode ? ("█", "░") : ("#", "-")
      line.append(String(repeating: full, count: filled), isFull ? .green : .plain)
      line.append(String(repeating: empty, count: cells - filled), .dim)
      line.append("  ")
    }
    line.append(count, isFull ? .green : isCurrent ? .bold : .dim)
    return line
  }
}
