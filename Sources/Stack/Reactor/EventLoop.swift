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
  // @unchecked: all but `inbox` and the atomics is touched on the loop's thread only.

  private enum Work {
    case job(UnownedJob)
    case closure(@Sendable () -> Void)
  }

  private struct Inbox {
    var work: [Work] = []
    var isStopped = false
  }

  private let epoll: FileDescriptor
  private let wakeup: FileDescriptor
  private let thread = Atomic<UInt>(0)
  private let inbox = Mutex(Inbox())
  /// The loop is, or is about to be, in `epoll_wait` and must be woken.
  private let isAsleep = Atomic(false)

  private var local: [Work] = []
  private var handlers: [(any ReadinessHandler)?] = []
  /// Counts registrations of each descriptor, so that an event of an earlier one is told apart.
  private var generations: [UInt32] = []
  private var timers = TimerHeap()
  private var ending: [any TurnEndHandler] = []
  private var isStopping = false
  private var patience = Patience()
  /// `runAtOnce` waits for a job, and has got it.
  private var takesJob = false
  private var taken: UnownedJob?

  /// One read buffer for all connections of the loop.
  public let readBuffer: UnsafeMutableBufferPointer<UInt8>
  /// One output buffer for all connections of the loop; empty between uses.
  public var writeBuffer: [UInt8] = []

  /// Starts the loop's thread.
  public init(readBufferBytes: Int = 64 << 10) throws(SystemError) {
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    if epoll < 0 { throw .last("epoll_create1") }
    self.epoll = FileDescriptor(owning: epoll)
    let wakeup = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    if wakeup < 0 { throw .last("eventfd") }
    self.wakeup = FileDescriptor(owning: wakeup)
    // Owned: freed in deinit.
    unsafe readBuffer = .allocate(capacity: readBufferBytes)
    unsafe readBuffer.initialize(repeating: 0)
    writeBuffer.reserveCapacity(64 << 10)
    var event = unsafe epoll_event()
    unsafe event.events = EPOLLIN.rawValue
    unsafe event.data.u64 = UInt64.max
    if unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event) != 0 { throw .last("epoll_ctl") }

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

  private func add(_ work: Work) {
    if isCurrent { local.append(work) } else { addRemotely(work) }
  }

  private func addRemotely(_ work: Work) {
    let accepted = inbox.withLock { inbox in
      if inbox.isStopped { return false }
      inbox.work.append(work)
      return true
    }
    if !accepted {
      // The loop is gone; a task must still come to its end, on whichever thread gave it here.
      if case .job(let job) = work { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
      return
    }
    if isAsleep.exchange(false, ordering: .acquiringAndReleasing) { wake() }
  }

  private func wake() {
    var one: UInt64 = 1
    _ = unsafe write(wakeup.number, &one, 8)
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
    while handlers.count <= index {
      handlers.append(nil)
      generations.append(0)
    }
    generations[index] &+= 1
    handlers[index] = handler
    try control(EPOLL_CTL_ADD, descriptor, reads: reads, writes: writes)
  }

  /// Changes what is watched for. On the loop.
  public func watch(_ descriptor: Int32, reads: Bool, writes: Bool) {
    // It fails only for a descriptor that is not registered, which then needs no watching.
    try? control(EPOLL_CTL_MOD, descriptor, reads: reads, writes: writes)
  }

  /// On the loop, before the descriptor is closed.
  public func remove(_ descriptor: Int32) {
    guard Int(descriptor) < handlers.count, handlers[Int(descriptor)] != nil else { return }
    handlers[Int(descriptor)] = nil
    var event = unsafe epoll_event()
    _ = unsafe epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor, &event)
  }

  private func control(
    _ operation: Int32, _ descriptor: Int32, reads: Bool, writes: Bool
  ) throws(SystemError) {
    var event = unsafe epoll_event()
    unsafe event.events = (reads ? EPOLLIN.rawValue : 0) | (writes ? EPOLLOUT.rawValue : 0)
    unsafe event.data.u64 =
      UInt64(generations[Int(descriptor)]) << 32 | UInt64(UInt32(bitPattern: descriptor))
    if unsafe epoll_ctl(epoll.number, operation, descriptor, &event) != 0 {
      throw .last("epoll_ctl")
    }
  }

  // MARK: Turning

  /// Ends the loop's thread once what is queued has run.
  public func stop() { run { self.isStopping = true } }

  private func turnUntilStopped() {
    // Few: what a turn's events leave to be sent at its end should still be in the processor's caches.
    let capacity = 16
    let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
    defer { unsafe events.deallocate() }
    while true {
      let count = unsafe wait(events, Int32(capacity))
      isAsleep.store(false, ordering: .releasing)
      for i in 0..<max(0, Int(count)) { unsafe dispatch(events[i]) }
      runTimers()
      runWork()
      endTurn()
      if isStopping && finish() { return }
    }
  }

  /// Waits for events: for a moment without going to sleep, if that has paid lately.
  private func wait(_ events: UnsafeMutablePointer<epoll_event>, _ capacity: Int32) -> Int32 {
    let milliseconds = timeout()
    if milliseconds == 0 { return unsafe epoll_wait(epoll.number, events, capacity, 0) }
    let start = Self.now()
    if patience.staysAwake {
      repeat {
        let count = unsafe epoll_wait(epoll.number, events, capacity, 0)
        if count != 0 {
          patience.paid()
          return count
        }
      } while Self.now() &- start < Patience.nanoseconds
      patience.failed()
    }
    let count = unsafe epoll_wait(epoll.number, events, capacity, milliseconds)
    patience.slept(Self.now() &- start)
    return count
  }

  /// Milliseconds to wait; 0 when there is work. After this the loop counts as asleep.
  private func timeout() -> Int32 {
    if !local.isEmpty || !ending.isEmpty { return 0 }
    isAsleep.store(true, ordering: .sequentiallyConsistent)
    let hasWork = inbox.withLock { !$0.work.isEmpty }
    if hasWork {
      isAsleep.store(false, ordering: .releasing)
      return 0
    }
    guard let due = timers.nextDue else { return -1 }
    let now = Self.now()
    if due <= now { return 0 }
    return Int32(min((due - now + 999_999) / 1_000_000, 60_000))
  }

  private func dispatch(_ event: epoll_event) {
    let data = unsafe event.data.u64
    if data == UInt64.max {
      var count: UInt64 = 0
      _ = unsafe read(wakeup.number, &count, 8)
      return
    }
    let index = Int(UInt32(truncatingIfNeeded: data))
    guard index < handlers.count, generations[index] == UInt32(data >> 32),
      let handler = handlers[index]
    else { return }
    let events = unsafe event.events
    let isBroken = events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
    handler.ready(
      readable: events & EPOLLIN.rawValue != 0 || isBroken,
      writable: events & EPOLLOUT.rawValue != 0 || isBroken)
  }

  private func runTimers() {
    guard timers.nextDue != nil else { return }
    let now = Self.now()
    while let work = timers.popDue(now: now) { work() }
  }

  /// Runs what is queued; what that queues in turn runs too, for a bounded number of rounds.
  private func runWork() {
    for _ in 0..<16 {
      let arrived = inbox.withLock { inbox in
        if inbox.work.isEmpty { return [Work]() }
        defer { inbox.work = [] }
        return inbox.work
      }
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

  private func run(_ work: Work) {
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
    let isEmpty = inbox.withLock { inbox in
      if inbox.work.isEmpty { inbox.isStopped = true }
      return inbox.work.isEmpty
    }
    if isEmpty {
      for handler in handlers.indices { handlers[handler] = nil }
      timers = TimerHeap()
    }
    return isEmpty
  }
}
