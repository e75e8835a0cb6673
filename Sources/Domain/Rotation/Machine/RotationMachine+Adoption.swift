extension RotationMachine.State {
  /// A rotation that somebody else has begun, as it is taken over: every machine takes its turn in the stage, also one
  /// that holds what the stage asks for, because what a machine holds is known only when it was verified.
  ///
  /// Nobody knows what was sent to which machine, so all count as changed: an abort leaves none out.
  ///
  /// - Parameters:
  ///   - machines: all machines of the cluster.
  ///   - phase: the stage that is carried out, or undone, first.
  ///   - reversal: who wants it undone; nil: it is finished.
  public static func adopted(
    _ machines: [Machine], in phase: RotationPhase, reversal: Reversal? = nil
  ) -> Self {
    .rolling(
      Stage(
        phase: phase,
        machines: machines.sorted(by: RolloutPolicy.precedes).map {
          MachineProgress(machine: $0, touched: true)
        }, reversal: reversal))
  }
}
