import Rotation

/// Why a machine is waited for, with what its record in the rotation adds to what it showed.
enum Waiting {
  /// Empty when nothing stands in the way.
  static func text(_ progress: MachineProgress, phase: RotationPhase) -> String {
    let error = progress.state.effort?.lastError ?? ""
    guard !error.isEmpty else { return "" }
    let id = progress.machine.id
    if let since = progress.missingSince {
      return
        "\(error); \(id) is missing from cluster discovery since \(since): dropped once Kubernetes has "
        + "no node \(id) either (kubectl delete node \(id) if it is gone)"
    }
    // Machines that were there before have been changed in an earlier stage.
    if phase == .postRotate, !progress.touched {
      return
        "\(error); \(id) joined after the old CA was dropped: if it does not come, reset it with a "
        + "current configuration, or remove it from discovery"
    }
    return error
  }
}
