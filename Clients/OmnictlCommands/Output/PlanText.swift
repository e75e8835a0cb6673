internal import Schema

/// What a rotation would do, for people.
enum PlanText {
  static func text(
    _ answer: RotateSecretResponse, _ component: SecretComponent, cluster: String, columns: Int?
  ) -> String {
    let plan = answer.plan ?? RotationPlan()
    var table = TextTable("STAGE", "ROLE", "ISSUED-BY", "ACCEPTED")
    for step in plan.steps {
      table.add(
        step.phase.word, MachineList.role(step.controlPlane), step.issuing.word,
        step.accepted.map(\.word).joined(separator: "+"))
    }
    let name = Printable.line(cluster)
    if let answered = answer.answeredAt {
      return
        "A request with this --request-id was answered on \(Moment.text(answered)): nothing would be begun.\n"
    }
    let opening =
      answer.attached
      ? "A rotation of \(component.word) of cluster \(name) is in progress and would be attached to."
      : "To rotate \(component.word) of cluster \(name); nothing has been changed."
    let machines = machines(plan.steps).flatMap {
      Paragraph.lines($0, hanging: 2, columns: columns)
    }
    return "\(opening)\n\n\(table.text)\n" + machines.map { $0 + "\n" }.joined()
      + notes(plan.notes, columns: columns)
  }

  /// Who is changed how, once for all stages that change the same machines: `control-plane, one at a
  /// time: cp-1, cp-2`. Control planes are changed one after another, each when the one before is
  /// done; workers side by side, as many as the server takes at once.
  private static func machines(_ steps: [RotationPlanStep]) -> [String] {
    var lines: [String] = []
    for step in steps {
      let isTheSame: (RotationPlanStep) -> Bool = {
        $0.controlPlane == step.controlPlane && $0.machines == step.machines
      }
      let isEverywhere = steps.allSatisfy { $0.controlPlane != step.controlPlane || isTheSame($0) }
      let manner = step.controlPlane ? "one at a time" : "side by side"
      let line = [
        isEverywhere ? "" : step.phase.word + " ", MachineList.role(step.controlPlane),
        step.machines.count > 1 ? ", \(manner)" : "", ": ", step.machines.joined(separator: ", "),
      ].joined()
      if !lines.contains(line) { lines.append(line) }
    }
    return lines
  }

  private static func notes(_ notes: [String], columns: Int?) -> String {
    notes.isEmpty ? "" : "\nto know before:\n" + ListText.text(notes, columns: columns)
  }
}

extension Session {
  /// Prints what a dry run has answered.
  func show(_ answer: RotateSecretResponse, _ component: SecretComponent) {
    switch format {
    case .json: printJSON(answer)
    case .table:
      print(
        PlanText.text(
          answer, component, cluster: cluster, columns: surroundings.output.columns))
    }
  }
}
