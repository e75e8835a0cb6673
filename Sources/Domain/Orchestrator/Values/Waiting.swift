import Rotation

/// Why a machine is waited for, with what its record in the rotation adds to what it showed.
enum Waiting {
  /// Empty when nothing stands in the way.
  static func text(_ progress: MachineProgress, phase: RotationPhase) -> String {
    let error = progress.state.effort?.lastError ?? ""
    guard !error.isEmpty else { return "" }
    if let missing = missing(progress) { return "\(error); \(missing)" }
    let id = progress.machine.id
    // Machines that were there before have been changed in an earlier stage.
    if phase == .postRotate, !progress.touched {
      return
        "\(error); \(id) joined after the old CA was dropped: if it does not come, reset it with a "
        + "current configuration, or remove it from discovery"
    }
    return error
  }

  /// What is said of a machine at a gate, which begins with the machine's name.
  static func gateText(_ text: String, _ stage: Stage) -> String {
    guard let progress = stage.machines.first(where: { text.hasPrefix("\($0.machine.id): ") }),
      let missing = missing(progress)
    else { return text }
    return "\(text); \(missing)"
  }

  private static func missing(_ progress: MachineProgress) -> String? {
    let id = progress.machine.id
    return progress.missingSince.map {
      "\(id) is missing from cluster discovery since \($0)"
        + (progress.absence.isEmpty ? "" : ": \(progress.absence)")
    }
  }
}
