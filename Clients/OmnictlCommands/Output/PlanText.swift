internal import Schema

/// What a rotation would do, for people.
enum PlanText {
  static func text(
    _ answer: RotateSecretResponse, _ component: SecretComponent, cluster: String
  ) -> String {
    let plan = answer.plan ?? RotationPlan()
    var table = TextTable("STAGE", "ROLE", "MACHINES", "ISSUED-BY", "ACCEPTED")
    for step in plan.steps {
      table.add(
        step.phase.word, MachineList.role(step.controlPlane),
        step.machines.joined(separator: ", "), step.issuing.word,
        step.accepted.map(\.word).joined(separator: "+"))
    }
    let name = Printable.line(cluster)
    let opening =
      answer.attached
      ? "A rotation of \(component.word) of cluster \(name) is in progress and would be attached to."
      : "To rotate \(component.word) of cluster \(name); nothing has been changed."
    return "\(opening)\n\n\(table.text)"
  }
}
