import Rotation

extension RotationTicket {
  /// What a whole rotation does to these machines.
  static func plan(
    _ component: SecretComponent, machines: [Machine], rollout: RolloutPolicy
  ) -> [PlannedStep] {
    RotationPhase.allCases.flatMap { phase in
      [MachineRole.controlPlane, .worker].compactMap { role in
        let names = machines.filter { $0.role == role }.map(\.id).sorted()
        guard !names.isEmpty else { return nil }
        return PlannedStep(
          phase: phase, role: role, machines: names,
          parallel: role == .controlPlane ? 1 : rollout.workerLimit,
          bundle: TrustPlan.bundle(component, phase, role))
      }
    }
  }
}
