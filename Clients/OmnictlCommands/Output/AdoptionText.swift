internal import Schema

/// What was found half done in a cluster, and what becomes of it, for people.
enum AdoptionText {
  static func text(_ answer: AdoptRotationResponse, cluster: String, columns: Int?) -> String {
    if answer.attached {
      let found = answer.unfinished.map { found in
        Paragraph.lines(
          "The \(found.component.word) was rotated elsewhere to its end meanwhile; nothing has been changed.",
          columns: columns
        ).map { $0 + "\n" }.joined() + "\n" + holdings(found)
      }
      return found.joined()
        + "A rotation of cluster \(Printable.line(cluster)) is in progress and would be attached to.\n"
        + notes(answer.notes, columns: columns)
    }
    guard !answer.unfinished.isEmpty else {
      return nothing(cluster) + notes(answer.notes, columns: columns)
    }
    let parts = answer.unfinished.enumerated().map { position, found in
      part(found, isFirst: position == 0, answer, cluster: cluster, columns: columns)
    }
    return parts.joined(separator: "\n") + notes(answer.notes, columns: columns)
  }

  static func nothing(_ cluster: String) -> String {
    "nothing was left half done in cluster \(Printable.line(cluster)) that was asked for\n"
  }

  /// What was left alone, in one line.
  static func line(_ unclear: UnclearComponent) -> String {
    "\(unclear.component.word) cannot be told apart, and is left alone: \(unclear.reason)"
  }

  private static func part(
    _ found: UnfinishedRotation, isFirst: Bool, _ answer: AdoptRotationResponse, cluster: String,
    columns: Int?
  ) -> String {
    let heading =
      "The rotation of \(found.component.word) of cluster \(Printable.line(cluster)) was not finished; nothing "
      + "has been changed."
    let way =
      isFirst
      ? (answer.rollsBack ? takesBack(found) : finishes(found))
      : "It is taken over when the one before is over."
    var obstacles: [String] = []
    if !found.finishObstacle.isEmpty {
      obstacles.append("it cannot be finished: \(found.finishObstacle)")
    }
    if !found.rollBackObstacle.isEmpty {
      obstacles.append("it cannot be taken back: \(found.rollBackObstacle)")
    }
    return Paragraph.lines(heading, columns: columns).map { $0 + "\n" }.joined()
      + "\n" + holdings(found) + Paragraph.lines(way, columns: columns).map { $0 + "\n" }.joined()
      + ListText.text(obstacles, columns: columns)
  }

  /// Both CAs, and what each machine holds of them.
  private static func holdings(_ found: UnfinishedRotation) -> String {
    var table = TextTable("MACHINE", "ROLE", "ISSUES-FROM", "ACCEPTS", "STANDS")
    for machine in found.machines {
      table.add(
        machine.machine, MachineList.role(machine.controlPlane),
        name(machine.issuingCAFingerprint, found),
        machine.acceptedCAFingerprints.map { name($0, found) }.sorted().joined(separator: "+"),
        machine.state.word)
    }
    return "old CA: \(found.oldCAFingerprint.shortFingerprint)   new CA: "
      + "\(found.newCAFingerprint.shortFingerprint)\n\n" + table.text + "\n"
  }

  private static func finishes(_ found: UnfinishedRotation) -> String {
    let rest: [RotationPhase] = [.preRotate, .rotate, .postRotate].filter {
      $0.rawValue >= found.phase.rawValue
    }
    return
      "It is finished: \(rest.map(\.word).joined(separator: ", then ")); then no machine accepts the old CA."
  }

  private static func takesBack(_ found: UnfinishedRotation) -> String {
    "It is taken back from \(found.phase.word): the old CA issues, and no machine accepts the new one."
  }

  private static func name(_ fingerprint: String, _ found: UnfinishedRotation) -> String {
    switch fingerprint {
    case "": ""
    case found.oldCAFingerprint: "old"
    case found.newCAFingerprint: "new"
    default: fingerprint.shortFingerprint
    }
  }

  private static func notes(_ notes: [String], columns: Int?) -> String {
    notes.isEmpty ? "" : "\nto know before:\n" + ListText.text(notes, columns: columns)
  }
}

extension UnfinishedMachineState {
  fileprivate var word: String {
    switch self {
    case .before: "before PRE-ROTATE"
    case .prepared: "after PRE-ROTATE"
    case .rotated: "after ROTATE"
    case .finished: "after POST-ROTATE"
    case .irregular: "irregular"
    default: "state-\(rawValue)"
    }
  }
}

extension Session {
  /// Prints what a dry run has answered.
  func show(_ answer: AdoptRotationResponse) {
    switch format {
    case .json: printJSON(answer)
    case .table:
      print(
        AdoptionText.text(answer, cluster: cluster, columns: surroundings.output.columns))
    }
  }
}
