import Orchestrator
import Rotation
import Synchronization

/// How far a host's wall clock is from the time; whoever sets it makes it jump.
final class HostSkew: Sendable {
  private let offset = Mutex(Duration.zero)

  var value: Duration { offset.withLock { $0 } }

  func set(_ offset: Duration) { self.offset.withLock { $0 = offset } }
}

/// The clock of the host that the orchestrator runs on: simulated time, and a wall clock that can be wrong.
struct HostClock: OrchestratorClock {
  let executor: SimulatedExecutor
  let skew: HostSkew

  func now() -> Instant { executor.now().advanced(by: skew.value) }

  func uptime() -> Duration { executor.uptime() }

  func sleep(for duration: Duration) async throws(CancellationError) {
    try await executor.sleep(for: duration)
  }
}
