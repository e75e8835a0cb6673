import Rotation

extension RotationRun {
  typealias Pause = @Sendable () async throws(CancellationError) -> Void

  /// A look that comes so soon is not worth a watch.
  private static let shortestWatchedPause = Duration.seconds(2)

  /// Waits as long as an effect is to wait. A look at a machine comes earlier where the machine shows a change, because
  /// what has been waited for a long time is looked at seldom.
  func pause(before effect: Effect) -> Pause {
    let (clock, driver) = (clock, driver)
    guard case .verify(let id, let delay) = effect, delay >= Self.shortestWatchedPause,
      let stage = machine.state.stage,
      let looked = stage.machines.first(where: { $0.machine.id == id })?.machine
    else {
      return { () async throws(CancellationError) in try await clock.sleep(for: effect.delay) }
    }
    let change = rotation.change(stage)
    let access = ClusterAccess(cluster: cluster, rotation: change)
    return { () async throws(CancellationError) in
      try await driver.awaitChange(
        change, of: looked, access: access, atMost: delay, by: clock)
    }
  }
}
