/// Runs the handlers of the calls on one executor, each up to its first suspension, one after another.
///
/// A worker is a task that runs one handler after another and waits where there is none, so most calls
/// need no task of their own. A handler that suspends keeps its worker; the next call gets another.
/// Handlers begin when the transport says `run`, after it has handed over all that arrived together.
///
/// Confined to its executor. A pool that keeps workers must be closed: they hold it.
public final class HandlerPool: @unchecked Sendable {
  // @unchecked: everything mutable is touched on the executor only.

  public let executor: any CallExecutor
  /// How many workers wait for calls at most.
  private let workersKept: Int
  /// The calls whose handlers are to begin, oldest first; those before `begun` have begun.
  private var calls: [ServerCall?] = []
  private var begun = 0
  private var idle: [Worker] = []
  private var isClosed = false

  /// - Parameter workersKept: more than these end when there is nothing for them to do.
  public init(executor: any CallExecutor, workersKept: Int = 64) {
    self.executor = executor
    self.workersKept = workersKept
  }

  /// A task that runs handlers.
  final class Worker: @unchecked Sendable {
    // @unchecked: confined to the pool's executor.
    fileprivate var task: Task<Void, Never>?
    fileprivate var waiter: UnsafeContinuation<Void, Never>?

    /// Cancels the handler that runs, and with it the worker ends.
    func cancel() { task?.cancel() }
  }

  /// The call's handler begins at the next `run`, if the call is not over by then.
  func add(_ call: ServerCall) { calls.append(call) }

  /// Begins the handlers of the calls that were added.
  public func run() {
    while begun < calls.count {
      executor.runAtOnce {
        if let worker = idle.popLast() {
          let waiter = worker.waiter
          worker.waiter = nil
          waiter?.resume()
        } else {
          let worker = Worker()
          worker.task = Task(executorPreference: executor) { await self.work(worker) }
        }
      }
      if !executor.runsAtOnce { return }
    }
    if begun > 0 {
      calls.removeAll(keepingCapacity: begun <= 1024)
      begun = 0
    }
  }

  /// Lets the workers end that wait, and the others as soon as their handlers return.
  public func close() {
    isClosed = true
    let ending = idle
    idle = []
    for worker in ending { worker.waiter?.resume() }
  }

  // MARK: Workers

  private func work(_ worker: Worker) async {
    while true {
      while let call = next(worker) { await call.resolved.handler.run(call) }
      // Whoever is cancelled once is cancelled for ever.
      if isClosed || idle.count >= workersKept || Task.isCancelled { return }
      await withUnsafeContinuation { waiter in
        worker.waiter = waiter
        idle.append(worker)
      }
    }
  }

  /// The next call for a worker.
  private func next(_ worker: Worker) -> ServerCall? {
    while begun < calls.count {
      let call = calls[begun].take()
      begun += 1
      if let call, call.begin(worker) { return call }
    }
    return nil
  }
}
