internal import Dispatch

/// Runs the actors of one simulated cluster, one job after the other.
final class SimulationExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "talos-simulator")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}
