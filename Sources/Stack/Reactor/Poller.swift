internal import CEpoll
internal import Glibc

/// The descriptors that a loop watches, and the kernel's word of which of them are ready (epoll(7)).
///
/// Confined to the loop's thread.
@safe
final class Poller {
  /// What the kernel says.
  enum Event: Equatable {
    /// A descriptor is ready. One that is broken counts as both: what is wrong shows when it is used.
    case ready(Int32, readable: Bool, writable: Bool)
    /// The alarm has rung.
    case woken
    /// The event is of a descriptor that is not watched any more, although its number may be in use again.
    case stale
  }

  private let epoll: FileDescriptor
  private var isWatched: [Bool] = []
  /// Counts registrations of each descriptor, so that an event of an earlier one is told apart.
  private var generations: [UInt32] = []
  /// Owned: freed in deinit. Few: what a turn's events leave to be sent at its end should still be in the
  /// processor's caches.
  private let events: UnsafeMutablePointer<epoll_event>
  private static let capacity: Int32 = 16
  private static let alarmData = UInt64.max

  /// - Parameter alarm: the descriptor that wakes the loop.
  init(alarm: Int32) throws(SystemError) {
    let number = epoll_create1(Int32(EPOLL_CLOEXEC))
    if number < 0 { throw .last("epoll_create1") }
    epoll = FileDescriptor(owning: number)
    unsafe events = .allocate(capacity: Int(Self.capacity))
    var event = unsafe epoll_event()
    unsafe event.events = EPOLLIN.rawValue
    unsafe event.data.u64 = Self.alarmData
    if unsafe epoll_ctl(number, EPOLL_CTL_ADD, alarm, &event) != 0 { throw .last("epoll_ctl") }
  }

  deinit { unsafe events.deallocate() }

  // MARK: Descriptors

  func add(_ descriptor: Int32, reads: Bool, writes: Bool) throws(SystemError) {
    let index = Int(descriptor)
    while isWatched.count <= index {
      isWatched.append(false)
      generations.append(0)
    }
    generations[index] &+= 1
    try control(EPOLL_CTL_ADD, descriptor, reads: reads, writes: writes)
    isWatched[index] = true
  }

  /// - Throws: for a descriptor that is not watched.
  func change(_ descriptor: Int32, reads: Bool, writes: Bool) throws(SystemError) {
    try control(EPOLL_CTL_MOD, descriptor, reads: reads, writes: writes)
  }

  /// Without effect for a descriptor that is not watched.
  func remove(_ descriptor: Int32) {
    guard Int(descriptor) < isWatched.count, isWatched[Int(descriptor)] else { return }
    isWatched[Int(descriptor)] = false
    var event = unsafe epoll_event()
    _ = unsafe epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor, &event)
  }

  private func control(
    _ operation: Int32, _ descriptor: Int32, reads: Bool, writes: Bool
  ) throws(SystemError) {
    guard Int(descriptor) < generations.count else {
      throw SystemError("epoll_ctl", errno: ENOENT)
    }
    var event = unsafe epoll_event()
    unsafe event.events = (reads ? EPOLLIN.rawValue : 0) | (writes ? EPOLLOUT.rawValue : 0)
    unsafe event.data.u64 =
      UInt64(generations[Int(descriptor)]) << 32 | UInt64(UInt32(bitPattern: descriptor))
    if unsafe epoll_ctl(epoll.number, operation, descriptor, &event) != 0 {
      throw .last("epoll_ctl")
    }
  }

  // MARK: Waiting

  /// Waits for events; how many there are. None when a signal came in between.
  ///
  /// - Parameter milliseconds: for at most so long; for ever when negative.
  /// - Throws: what only a fault of the program's own can cause (epoll_wait(2)).
  func wait(milliseconds: Int32) throws(SystemError) -> Int {
    let count = unsafe epoll_wait(epoll.number, events, Self.capacity, milliseconds)
    if count >= 0 { return Int(count) }
    if errno == EINTR { return 0 }
    throw .last("epoll_wait")
  }

  /// One of the events that the last `wait` has counted.
  @inline(__always)
  func event(_ index: Int) -> Event {
    let data = unsafe events[index].data.u64
    if data == Self.alarmData { return .woken }
    let descriptor = Int(UInt32(truncatingIfNeeded: data))
    guard isWatched[descriptor], generations[descriptor] == UInt32(data >> 32) else {
      return .stale
    }
    let mask = unsafe events[index].events
    let isBroken = mask & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
    return .ready(
      Int32(descriptor), readable: mask & EPOLLIN.rawValue != 0 || isBroken,
      writable: mask & EPOLLOUT.rawValue != 0 || isBroken)
  }
}
