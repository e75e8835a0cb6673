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
  private var calls: [(call: ServerCall, request: LentRequest)?] = []
  private var begun = 0
  /// What was lent for the call whose handler begins.
  private(set) var lentRequest = LentRequest()
  /// Workers that were made and have not run yet, oldest first.
  private var made: [Task<Void, Never>] = []
  /// Workers that wait, the last one for the shortest time.
  private var idle: [UnsafeContinuation<Void, Never>] = []
  private var isClosed = false

  /// - Parameter workersKept: more than these end when there is nothing for them to do.
  public init(executor: any CallExecutor, workersKept: Int = 64) {
    self.executor = executor
    self.workersKept = workersKept
  }

  /// The call's handler begins at the next `run`, if the call is not over by then.
  func add(_ call: ServerCall, _ request: LentRequest) { calls.append((call, request)) }

  /// Begins the handlers of the calls that were added.
  public func run() {
    while begun < calls.count {
      executor.runAtOnce {
        if let worker = idle.popLast() {
          worker.resume()
        } else {
          // What waits long keeps this frame: it holds no more than it must.
          let worker = Task(executorPreference: executor) {
            // It begins after it was added.
            let itself = self.made.removeFirst()
            repeat {
              while let call = self.next(itself) {
                if let deadline = call.callDeadline {
                  await self.run(call, within: deadline)
                } else {
                  await call.resolved.handler.run(call)
                }
              }
            } while await self.rest()
          }
          made.append(worker)
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
    for worker in ending { worker.resume() }
  }

  // MARK: Workers

  /// Runs the handler so that calls which the handler makes inherit this call's deadline.
  @inline(never)
  private func run(_ call: ServerCall, within deadline: CallDeadline) async {
    await CallDeadline.$inherited.withValue(deadline) {
      await call.resolved.handler.run(call)
    }
  }

  /// Returns when there may be calls again; false when the worker is to end.
  @inline(never)
  private func rest() async -> Bool {
    // What is cancelled once is cancelled for ever.
    if isClosed || idle.count >= workersKept || Task.isCancelled { return false }
    await withUnsafeContinuation { idle.append($0) }
    return true
  }

  /// The next call for a worker, unless a call before was cancelled: that would cancel this one too.
  private func next(_ worker: Task<Void, Never>) -> ServerCall? {
    while begun < calls.count, !Task.isCancelled {
      let next = calls[begun].take()
      begun += 1
      if let next, next.call.begin(in: worker) {
        lentRequest = next.request
        return next.call
      }
    }
    return nil
  }
}

/// A request message's bytes where they arrived, or none when the message is in the call's inbox. Good
/// until the handlers have begun for which it was lent.
struct LentRequest: @unchecked Sendable {
  // @unchecked: read on the executor that lends it, before it goes on.
  let bytes: UnsafeBufferPointer<UInt8>?

  init() { bytes = nil }

  init(_ bytes: borrowing Span<UInt8>) { self.bytes = bytes.withUnsafeBufferPointer { $0 } }
}
