internal import Schema

/// What a rotation would do, for people.
enum PlanText {
  static func text(
    _ answer: RotateSecretResponse, _ component: SecretComponent, cluster: String, columns: Int?
  ) -> String {
    let plan = answer.plan ?? RotationPlan()
    var table = TextTable("STAGE", "ROLE", "ISSUED-BY", "ACCEPTED", "HOW", "MACHINES")
    for step in plan.steps {
      table.add(
        step.phase.word, MachineList.role(step.controlPlane), step.issuing.word,
        step.accepted.map(\.word).joined(separator: "+"), manner(step),
        step.machines.joined(separator: ", "))
    }
    let name = Printable.line(cluster)
    let opening =
      answer.attached
      ? "A rotation of \(component.word) of cluster \(name) is in progress and would be attached to."
      : "To rotate \(component.word) of cluster \(name); nothing has been changed."
    return "\(opening)\n\n\(table.text)" + notes(plan.notes, columns: columns)
  }

  /// Control planes are changed one after another, each when the one before is done; workers side by
  /// side, as many as the server takes at once.
  private static func manner(_ step: RotationPlanStep) -> String {
    guard step.machines.count > 1 else { return "" }
    return step.controlPlane ? "one at a time" : "side by side"
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
