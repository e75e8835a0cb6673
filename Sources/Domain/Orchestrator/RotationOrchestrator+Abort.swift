import Rotation

extension RotationOrchestrator {
  /// Cancels the cluster's rotation, which is possible as long as it has touched no machine.
  ///
  /// - Parameters:
  ///   - rotationID: the rotation that is meant; empty: the one that runs.
  ///   - requester: who asks; at most 256 characters.
  /// - Returns: how the rotation ended.
  /// - Throws: `.notFound`, `.invalidArgument`, `.noRotation`, `.machinesTouched`, `.journalUnavailable`.
  public func abort(
    cluster name: String, rotationID: String = "", requester: String = ""
  ) async throws(OrchestratorError) -> RotationSnapshot {
    let cluster = try known(name) {
      $0.text(rotationID, "rotation_id", limit: Arguments.requestIDLimit)
      $0.text(requester, "requester", limit: Arguments.requesterLimit)
    }
    guard let rotation = journal.activeRotation(of: cluster),
      rotationID.isEmpty || rotation.id == rotationID
    else { throw .noRotation(name, wanted: rotationID) }
    // A run that has ended without its rotation's end (the journal was somebody else's) is begun again.
    takeUp(name)
    guard let run = runs[name]?.run else { throw .noRotation(name, wanted: rotationID) }
    switch await run.give(.abort(requester: requester)) {
    case .done: return try status(cluster: name)
    case .touched(let machines):
      throw OrchestratorError(
        .machinesTouched,
        "the rotation of '\(name)' cannot be cancelled any more: the new CA has reached "
          + "\(machines.abbreviated), or may have; let it go on to its end", subject: name)
    case .ended: throw .noRotation(name, wanted: rotationID)
    }
  }
}

extension OrchestratorError {
  fileprivate static func noRotation(_ cluster: String, wanted id: String) -> OrchestratorError {
    OrchestratorError(
      .noRotation,
      id.isEmpty
        ? "no rotation of '\(cluster)' is in progress"
        : "the rotation \(id.bounded(to: 64)) of '\(cluster)' is not in progress",
      subject: cluster)
  }
}
