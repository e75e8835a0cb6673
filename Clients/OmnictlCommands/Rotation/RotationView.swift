internal import Schema

/// What a terminal shows of a rotation: pure, from a status to lines.
struct RotationView: Sendable {
  /// What the server does besides answering.
  enum Link: Equatable, Sendable {
    case connected
    case lost(reason: String, since: Timestamp)
  }

  let style: ScreenStyle

  /// At most `rows - 1` lines, none wider than `columns - 1`: a terminal that is full to its last
  /// column wraps or not as it likes.
  func lines(
    _ status: RotationStatus, size: ScreenSize, now: Timestamp, link: Link = .connected
  ) -> [StyledLine] {
    let columns = max(1, size.columns - 1)
    var head = [title(status, now: now)]
    head += RotationPhase.all.map { StageBar(status, $0).line(columns: columns, style: style) }
    let tail = foot(status, now: now, link: link)
    let room = max(0, size.rows - 1 - head.count - tail.count)
    let body = blocks(status, now: now, columns: columns)
    let all = head + fit(body, into: room) + tail
    return all.prefix(max(1, size.rows - 1)).map { $0.fitted(to: columns) }
  }

  private func title(_ status: RotationStatus, now: Timestamp) -> StyledLine {
    var line = StyledLine()
    line.append(status.cluster, .bold)
    line.append("  \(status.component.title)  ")
    line.append(status.state.word, Self.color(of: status.state))
    if let seconds = status.seconds(until: now) { line.append("  \(Moment.span(seconds))", .dim) }
    return line
  }

  private static func color(of state: RotationState) -> StyledLine.Style {
    switch state {
    case .succeeded: .green
    case .failed, .aborted: .red
    case .paused, .aborting: .yellow
    default: .bold
    }
  }

  // MARK: What is in work

  /// The lines of each machine in work, and of what concerns the whole cluster.
  private func blocks(_ status: RotationStatus, now: Timestamp, columns: Int) -> [[StyledLine]] {
    guard !status.isOver else { return [] }
    let inWork = status.machines.filter { $0.state != .pending && $0.state != .done }
    let widest = inWork.map { DisplayWidth.of(Printable.line($0.machine)) }.max() ?? 0
    let nameColumns = min(widest, max(8, columns / 3))
    // Those that are waited for come first: they are what somebody looks for.
    let ordered = inWork.filter { $0.state == .waiting } + inWork.filter { $0.state != .waiting }
    var blocks = ordered.map {
      MachineLines($0, nameColumns: nameColumns, columns: columns, now: now).lines
    }
    if status.clusterChecks.contains(where: \.isOpen) {
      blocks.append(CheckLines.cluster(status.clusterChecks, now: now))
    }
    return blocks
  }

  /// As many blocks as there is room for, and how many there are besides.
  private func fit(_ blocks: [[StyledLine]], into room: Int) -> [StyledLine] {
    let all = blocks.flatMap(\.self)
    if all.count <= room { return all }
    var lines: [StyledLine] = []
    var shown = 0
    for block in blocks {
      if lines.count + block.count > room - 1 { break }
      lines += block
      shown += 1
    }
    guard room > 0 else { return [] }
    return lines + [StyledLine("  … and \(blocks.count - shown) more in work", .dim)]
  }

  // MARK: What is said of the whole

  private func foot(_ status: RotationStatus, now: Timestamp, link: Link) -> [StyledLine] {
    var lines: [StyledLine] = []
    if let note = status.notes.last { lines.append(StyledLine("  note: \(note)", .dim)) }
    switch status.state {
    case .succeeded:
      lines.append(StyledLine("  \(status.summary)", .green))
      if !status.newCAFingerprint.isEmpty {
        lines.append(StyledLine("  new CA \(status.newCAFingerprint)", .dim))
      }
    case .failed, .aborted:
      let reason = status.error.isEmpty ? status.summary : status.error
      lines.append(StyledLine("  \(reason)", .red))
    default:
      if !status.step.isEmpty, !isShown(status.step, status) {
        lines.append(StyledLine("  \(status.step)"))
      }
      if !status.error.isEmpty, !status.step.contains(status.error), !isShown(status.error, status)
      {
        lines.append(StyledLine("  \(status.error)", .yellow))
      }
    }
    if case .lost(let reason, let since) = link {
      let span = Moment.span(Moment.seconds(from: since, to: now))
      lines.append(StyledLine("  omnid has not answered for \(span): \(reason)", .yellow))
    }
    return lines
  }

  /// Whether a machine's lines say the same.
  private func isShown(_ text: String, _ status: RotationStatus) -> Bool {
    status.machines.contains {
      $0.state == .waiting && !$0.lastError.isEmpty && text.hasSuffix($0.lastError)
    }
  }
}
