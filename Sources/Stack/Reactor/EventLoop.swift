internal import CEpoll
internal import Glibc
internal import Synchronization

/// What a loop tells about a descriptor. Level-triggered: it is told again until it is dealt with.
public protocol ReadinessHandler: AnyObject {
  func ready(readable: Bool, writable: Bool)
}

/// Something that has output to send at the end of the loop's turn.
public protocol TurnEndHandler: AnyObject {
  func turnEnded()
}

/// One epoll loop on a thread of its own: readiness, timers, jobs.
///
/// A turn: wait, handle what is ready, run jobs and due timers, then let whatever was marked flush
/// its output, so that a turn's work leaves in one write. It is a task executor: handlers run on it
/// without leaving the thread. Nothing that runs on it may block.
@safe
public final class EventLoop: TaskExecutor, @unchecked Sendable {
  // @unchecked: all but `inbox`, `alarm` and `thread` is touched on the loop's thread only.

  private let alarm: Alarm
  private let poller: Poller
  private let thread = Atomic<UInt>(0)
  private let inbox = Inbox()
  private var local: [LoopWork] = []
  /// By descriptor.
  private var handlers: [(any ReadinessHandler)?] = []
  private var timers = TimerHeap()
  private var ending: [any TurnEndHandler] = []
  private var isStopping = false
  private var patience = Patience()
  /// `runAtOnce` waits for a job, and has got it.
  private var takesJob = false
  private var taken: UnownedJob?

  /// One read buffer for all connections of the loop. Whoever reads into the buffer overwrites with zeros what was
  /// read once it is used: the buffer outlives every message, and a message may carry a key.
  public let readBuffer: UnsafeMutableBufferPointer<UInt8>
  /// One output buffer for all connections of the loop; empty between uses.
  public var writeBuffer: [UInt8] = []

  /// Starts the loop's thread.
  public init(readBufferBytes: Int = 64 << 10) throws(SystemError) {
    let alarm = try Alarm()
    let poller = try Poller(alarm: alarm.number)
    self.alarm = alarm
    self.poller = poller
    // Owned: freed in deinit.
    unsafe readBuffer = .allocate(capacity: readBufferBytes)
    unsafe readBuffer.initialize(repeating: 0)
    writeBuffer.reserveCapacity(64 << 10)

    // The thread keeps the loop alive until it ends.
    try DetachedThread.start {
      self.thread.store(UInt(pthread_self()), ordering: .releasing)
      self.turnUntilStopped()
      // The next thread may get this one's identity, and is not the loop.
      self.thread.store(0, ordering: .releasing)
    }
  }

  deinit { unsafe readBuffer.deallocate() }

  /// Whether the caller runs on this loop's thread; never true once that has ended.
  public var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

  // MARK: Work

  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    guard isCurrent else { return addRemotely(.job(job)) }
    if takesJob {
      takesJob = false
      taken = job
    } else {
      local.append(.job(job))
    }
  }

  /// Runs the job that the body enqueues on this loop before it returns. On the loop.
  public func runAtOnce(_ enqueue: () -> Void) {
    takesJob = true
    enqueue()
    takesJob = false
    guard let job = taken else { return }
    taken = nil
    unsafe job.runSynchronously(on: asUnownedTaskExecutor())
  }

  /// Runs the work on the loop, after what is queued.
  public func run(_ work: @escaping @Sendable () -> Void) { add(.closure(work)) }

  private func add(_ work: LoopWork) {
    if isCurrent { local.append(work) } else { addRemotely(work) }
  }

  private func addRemotely(_ work: LoopWork) {
    switch inbox.put(work) {
    case .accepted: break
    case .wakes: alarm.ring()
    case .refused:
      // A task must still come to its end, on whichever thread gave it here.
      if case .job(let job) = work { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
  }

  /// Asks to be called at the end of this turn. On the loop.
  public func markTurnEnd(_ handler: any TurnEndHandler) { ending.append(handler) }

  // MARK: Timers

  /// Runs the work after the time. On the loop.
  public func addTimer(after delay: Duration, _ work: @escaping @Sendable () -> Void) -> UInt64 {
    let (seconds, attoseconds) = delay.components
    let nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let wait =
      nanoseconds.overflow
      ? Int64.max / 2 : max(0, nanoseconds.partialValue &+ attoseconds / 1_000_000_000)
    return timers.add(due: Self.now() &+ UInt64(min(wait, Int64.max / 2)), work)
  }

  /// On the loop.
  public func cancelTimer(_ id: UInt64) { timers.cancel(id) }

  private static func now() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  // MARK: Descriptors

  /// Watches a descriptor for reading. The loop keeps the handler until `remove`. On the loop.
  public func add(
    _ descriptor: Int32, _ handler: any ReadinessHandler, reads: Bool = true, writes: Bool = false
  ) throws(SystemError) {
    let index = Int(descriptor)
    while handlers.count <= index { handlers.append(nil) }
    handlers[index] = handler
    try poller.add(descriptor, reads: reads, writes: writes)
  }

  /// Changes what is watched for. On the loop.
  public func watch(_ descriptor: Int32, reads: Bool, writes: Bool) {
    // That fails only for a descriptor that is not watched, which then needs no watching.
    try? poller.change(descriptor, reads: reads, writes: writes)
  }

  /// On the loop, before the descriptor is closed.
  public func remove(_ descriptor: Int32) {
    guard Int(descriptor) < handlers.count, handlers[Int(descriptor)] != nil else { return }
    handlers[Int(descriptor)] = nil
    poller.remove(descriptor)
  }

  // MARK: Turning

  /// Ends the loop's thread once what is queued has run.
  public func stop() { run { self.isStopping = true } }

  private func turnUntilStopped() {
    while true {
      let count = wait()
      inbox.wokeUp()
      for index in 0..<count { dispatch(poller.event(index)) }
      runTimers()
      runWork()
      endTurn()
      if isStopping && finish() { return }
    }
  }

  /// Waits for events: for a moment without going to sleep, if that has paid lately.
  private func wait() -> Int {
    let milliseconds = timeout()
    if milliseconds == 0 { return poll(0) }
    let start = Self.now()
    if patience.staysAwake {
      repeat {
        let count = poll(0)
        if count != 0 {
          patience.paid()
          return count
        }
      } while Self.now() &- start < Patience.nanoseconds
      patience.failed()
    }
    let count = poll(milliseconds)
    patience.slept(Self.now() &- start)
    return count
  }

  private func poll(_ milliseconds: Int32) -> Int {
    do throws(SystemError) { return try poller.wait(milliseconds: milliseconds) } catch {
      // A loop that cannot wait would serve nobody and use all of a processor.
      fatalError("\(error)")
    }
  }

  /// Milliseconds to wait; 0 when there is work. After this the loop counts as asleep.
  private func timeout() -> Int32 {
    if !local.isEmpty || !ending.isEmpty { return 0 }
    if !inbox.fallAsleep() { return 0 }
    guard let due = timers.nextDue else { return -1 }
    let now = Self.now()
    if due <= now { return 0 }
    return Int32(min((due - now + 999_999) / 1_000_000, 60_000))
  }

  private func dispatch(_ event: Poller.Event) {
    switch event {
    case .woken: alarm.silence()
    case .stale: break
    case .ready(let descriptor, let readable, let writable):
      handlers[Int(descriptor)]?.ready(readable: readable, writable: writable)
    }
  }

  private func runTimers() {
    guard timers.nextDue != nil else { return }
    let now = Self.now()
    while let work = timers.popDue(now: now) { work() }
  }

  /// Runs what is queued; what that queues in turn runs too, for a bounded number of rounds.
  private func runWork() {
    for _ in 0..<16 {
      let arrived = inbox.take()
      if local.isEmpty && arrived.isEmpty { return }
      let mine = local
      local = []
      for work in mine { run(work) }
      for work in arrived { run(work) }
      if local.isEmpty {
        // Keep the storage for the next round.
        var mine = mine
        mine.removeAll(keepingCapacity: true)
        local = mine
      }
    }
  }

  private func run(_ work: LoopWork) {
    switch work {
    case .job(let job): unsafe job.runSynchronously(on: asUnownedTaskExecutor())
    case .closure(let closure): closure()
    }
  }

  private func endTurn() {
    if ending.isEmpty { return }
    var handlers = ending
    ending = []
    for handler in handlers { handler.turnEnded() }
    if ending.isEmpty {
      handlers.removeAll(keepingCapacity: true)
      ending = handlers
    }
  }

  /// Whether the loop may end: no work is left and none will be taken.
  private func finish() -> Bool {
    guard local.isEmpty, ending.isEmpty else { return false }
    let isEmpty = inbox.stop()
    if isEmpty {
      for handler in handlers.indices { handlers[handler] = nil }
      timers = TimerHeap()
    }
    return isEmpty
  }
}
