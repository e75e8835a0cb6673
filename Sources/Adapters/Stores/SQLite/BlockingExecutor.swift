import Dispatch

/// Runs an actor on a thread that may block, away from event loops and the cooperative pool.
final class BlockingExecutor: SerialExecutor {
  /// Serial; its threads are made as needed, so that a blocked one keeps nobody else waiting.
  private let queue: DispatchQueue

  init(label: String) { queue = DispatchQueue(label: label) }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    // The closure keeps the executor alive until the job has run, and runs it exactly once.
    queue.async { unsafe job.runSynchronously(on: self.asUnownedSerialExecutor()) }
  }
}
