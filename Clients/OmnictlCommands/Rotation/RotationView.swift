internal import Schema

/// What a terminal shows of a rotation: pure, from a status to lines.
struct RotationView: Sendable {
  /// What the server does besides answering.
  enum Link: Equatable, Sendable {
    case connected
    /// How many seconds it has not answered.
    case lost(reason: String, seconds: Int64)
  }

  let style: ScreenStyle

  /// At most `rows - 1` lines, none wider than `columns - 1`: a terminal that is full to its last
  /// column wraps or not as it likes.
  func lines(
    _ status: RotationStatus, size: ScreenSize, reading: RotationAges.Reading,
    link: Link = .connected
  ) -> [StyledLine] {
    let columns = max(1, size.columns - 1)
    var head = [title(status, reading)]
    head += RotationPhase.all.map { StageBar(status, $0).line(columns: columns, style: style) }
    // What is said of the whole leaves room for what is in work.
    let most = size.rows == .max ? .max : max(1, size.rows / 3)
    let tail = Foot(status: status, link: link).lines(columns: columns, most: most)
    let room = max(0, size.rows - 1 - head.count - tail.count)
    let body = WorkLines(status: status, reading: reading, columns: columns).blocks
    let all = head + fit(body, into: room) + tail
    return all.prefix(max(1, size.rows - 1)).map { $0.fitted(to: columns) }
  }

  private func title(_ status: RotationStatus, _ reading: RotationAges.Reading) -> StyledLine {
    var line = StyledLine()
    line.append(status.cluster, .bold)
    line.append("  \(status.component.title)  ")
    line.append(status.state.word, Self.color(of: status.state))
    if let seconds = reading.total { line.append("  \(Moment.span(seconds))", .dim) }
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

  /// As many blocks as there is room for, and how many there are besides. The first is shown as far as
  /// it goes.
  private func fit(_ blocks: [[StyledLine]], into room: Int) -> [StyledLine] {
    let all = blocks.flatMap(\.self)
    if all.count <= room { return all }
    guard room > 0 else { return [] }
    var lines: [StyledLine] = []
    var shown = 0
    for block in blocks {
      if lines.count + block.count > room - 1 { break }
      lines += block
      shown += 1
    }
    if shown == 0, room > 1 {
      lines = Array(blocks[0].prefix(room - 1))
      shown = 1
    }
    let left = blocks.count - shown
    return lines + [StyledLine(left > 0 ? "  … and \(left) more in work" : "  …", .dim)]
  }
}

/// What is said of the whole, below what is in work.
private struct Foot {
  let status: RotationStatus
  let link: RotationView.Link

  /// - Parameter most: the lines that one text may take.
  func lines(columns: Int, most: Int) -> [StyledLine] {
    texts.flatMap { text, style in
      DisplayWidth.wrap(Printable.line(text), to: columns - 2, lines: most)
        .map { StyledLine("  \($0)", style) }
    }
  }

  private var texts: [(String, StyledLine.Style)] {
    var texts: [(String, StyledLine.Style)] = []
    if let note = status.notes.last { texts.append(("note: \(note)", .dim)) }
    switch status.state {
    case .succeeded:
      texts.append((status.summary, .green))
      if !status.newCAFingerprint.isEmpty {
        texts.append(("new CA \(status.newCAFingerprint)", .dim))
      }
    case .failed, .aborted:
      texts.append((status.error.isEmpty ? status.summary : status.error, .red))
    default:
      if !status.step.isEmpty, !isShown(status.step) { texts.append((status.step, .plain)) }
      if !status.error.isEmpty, !status.step.contains(status.error), !isShown(status.error) {
        texts.append((status.error, .yellow))
      }
    }
    if status.machines.contains(where: { $0.state == .waiting }), status.oldCAAcceptedBy > 0,
      status.state != .aborting
    {
      let all = status.machines.count
      let reachable =
        status.reachability.map { "; reachable now: \($0.reachable) of \(all)" } ?? ""
      texts.append(
        (
          "the old CA is still accepted by \(status.oldCAAcceptedBy) of \(all) machines\(reachable)",
          .yellow
        ))
    }
    if status.isInProgress, let line = RetiringCredentialsText.line(status) {
      texts.append((line, .yellow))
    }
    for returned in status.returnedCAs.prefix(3) { texts.append((returned.detail, .yellow)) }
    if case .lost(let reason, let seconds) = link {
      texts.append(("omnid has not answered for \(Moment.span(seconds)): \(reason)", .yellow))
    }
    return texts
  }

  /// Whether the lines of what is in work say the same.
  private func isShown(_ text: String) -> Bool {
    status.machines.contains {
      $0.state == .waiting && !$0.lastError.isEmpty && text.hasSuffix($0.lastError)
    }
      || status.clusterChecks.contains {
        $0.isOpen && !$0.detail.isEmpty && text.contains($0.detail)
      }
  }
}
