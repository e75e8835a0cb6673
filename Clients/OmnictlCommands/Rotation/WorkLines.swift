internal import Schema

/// What a terminal shows of what is in work: blocks of lines, none cut.
struct WorkLines {
  let status: RotationStatus
  let reading: RotationAges.Reading
  let columns: Int

  /// A block for each machine, or for each reason that several are waited for; then for each open
  /// check of the cluster.
  var blocks: [[StyledLine]] {
    guard !status.isOver else { return [] }
    let obstacles = MachineObstacle.all(status)
    let widest = obstacles.map { DisplayWidth.of(Printable.line(title($0))) }.max() ?? 0
    let nameColumns = min(widest, max(8, columns / 3))
    return obstacles.map { lines($0, nameColumns: nameColumns) }
      + ClusterObstacle.all(status).map(lines)
  }

  private func title(_ obstacle: MachineObstacle) -> String {
    obstacle.machines.count == 1 ? obstacle.names[0] : "\(obstacle.machines.count) machines"
  }

  /// Its state; and when something stands in its way, what, since when, and what happens next.
  private func lines(_ obstacle: MachineObstacle, nameColumns: Int) -> [StyledLine] {
    let isWaiting = obstacle.state == .waiting
    let style: StyledLine.Style = isWaiting ? .yellow : .plain
    let name = Printable.line(title(obstacle))
    var lines: [StyledLine] = []
    var line = StyledLine("  ")
    if DisplayWidth.of(name) > nameColumns {
      // A name that leaves no room beside it has lines of its own.
      lines += indented(name, by: 2)
      line.append("  ")
    } else {
      line.append(DisplayWidth.pad(name, to: nameColumns))
      line.append("  ")
    }
    let facts = obstacle.facts(reading)
    let word = DisplayWidth.pad(obstacle.state.word, to: 9)
    let fits = line.width + DisplayWidth.of(word) + 2 + DisplayWidth.of(facts) <= columns
    line.append(fits && !facts.isEmpty ? word : obstacle.state.word, style)
    let factsStyle: StyledLine.Style = isWaiting ? .plain : .dim
    if fits, !facts.isEmpty { line.append("  \(facts)", factsStyle) }
    lines.append(line)
    if !fits { lines += indented(facts, by: 4, factsStyle) }
    guard isWaiting || obstacle.machines[0].openCheck?.state == .failed else { return lines }
    if obstacle.machines.count > 1 {
      lines += indented(obstacle.names.joined(separator: ", "), by: 4)
    }
    let advice = obstacle.advice(reading).map { indented("what to do: \($0)", by: 4) } ?? []
    return lines + obstacle.reasons.flatMap { indented($0, by: 4, .yellow) } + advice
  }

  private func lines(_ obstacle: ClusterObstacle) -> [StyledLine] {
    Paragraph.lines(
      "cluster  \(obstacle.text(reading))", indent: 2, hanging: 2, columns: columns + 1
    ).map { StyledLine($0, .yellow) }
      + (obstacle.advice(reading).map { indented("what to do: \($0)", by: 4) } ?? [])
  }

  private func indented(
    _ text: String, by indent: Int, _ style: StyledLine.Style = .plain
  ) -> [StyledLine] {
    guard !text.isEmpty else { return [] }
    return Paragraph.lines(text, indent: indent, columns: columns + 1).map {
      StyledLine($0, style)
    }
  }
}
