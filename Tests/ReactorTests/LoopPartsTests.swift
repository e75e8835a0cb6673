import Glibc
import Testing

@testable import Reactor

/// What other threads give a loop to run.
@Suite struct InboxTests {
  private let work = LoopWork.closure {}

  private func put(_ inbox: Inbox) -> Inbox.Outcome { inbox.put(work) }
  private func taken(_ inbox: Inbox) -> Int { inbox.take().count }

  @Test("A loop that is awake is not woken, one that sleeps is woken once")
  func wakes() {
    let inbox = Inbox()
    #expect(put(inbox) == .accepted)
    #expect(taken(inbox) == 1)
    let isAsleep = inbox.fallAsleep()
    #expect(isAsleep)
    #expect(put(inbox) == .wakes)
    #expect(put(inbox) == .accepted, "the loop is awake by then")
    #expect(taken(inbox) == 2)
    #expect(taken(inbox) == 0)
  }

  @Test("A loop does not fall asleep over work that has come")
  func noSleep() {
    let inbox = Inbox()
    _ = inbox.put(work)
    let wouldSleep = inbox.fallAsleep()
    #expect(!wouldSleep)
    #expect(put(inbox) == .accepted)
    _ = inbox.take()
    let isAsleep = inbox.fallAsleep()
    #expect(isAsleep)
    inbox.wokeUp()
    #expect(put(inbox) == .accepted)
  }

  @Test("A loop ends only without work, and takes none after its end")
  func stop() {
    let inbox = Inbox()
    _ = inbox.put(work)
    let wouldStop = inbox.stop()
    #expect(!wouldStop)
    #expect(put(inbox) == .accepted)
    _ = inbox.take()
    let isStopped = inbox.stop()
    #expect(isStopped)
    #expect(put(inbox) == .refused)
    #expect(taken(inbox) == 0)
  }
}

/// What the kernel says of descriptors.
@Suite struct PollerTests {
  private func wait(_ poller: Poller, _ milliseconds: Int32) throws -> Int {
    try poller.wait(milliseconds: milliseconds)
  }

  private func event(_ poller: Poller) -> Poller.Event { poller.event(0) }

  /// The two ends of a stream.
  private final class Pair {
    let near: Int32
    let far: Int32
    private var isCut = false

    init() {
      var ends: [Int32] = [0, 0]
      socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &ends)
      (near, far) = (ends[0], ends[1])
    }

    deinit {
      close(near)
      if !isCut { close(far) }
    }

    func cut() {
      isCut = true
      close(far)
    }
  }

  @Test("A descriptor is ready as it is watched, until it is not watched any more")
  func readiness() throws {
    let alarm = try Alarm()
    let poller = try Poller(alarm: alarm.number)
    let pair = Pair()
    try poller.add(pair.near, reads: true, writes: false)
    #expect(try wait(poller, 0) == 0)
    _ = write(pair.far, [1], 1)
    #expect(try wait(poller, 1000) == 1)
    #expect(event(poller) == .ready(pair.near, readable: true, writable: false))
    try poller.change(pair.near, reads: true, writes: true)
    #expect(try wait(poller, 1000) == 1)
    #expect(event(poller) == .ready(pair.near, readable: true, writable: true))
    poller.remove(pair.near)
    poller.remove(pair.near)
    #expect(try wait(poller, 0) == 0)
  }

  @Test("A broken descriptor counts as ready for both")
  func broken() throws {
    let alarm = try Alarm()
    let poller = try Poller(alarm: alarm.number)
    let pair = Pair()
    try poller.add(pair.near, reads: true, writes: false)
    pair.cut()
    #expect(try wait(poller, 1000) == 1)
    #expect(event(poller) == .ready(pair.near, readable: true, writable: true))
  }

  @Test("An event of a descriptor that has left meanwhile is stale, also when its number is back")
  func stale() throws {
    let alarm = try Alarm()
    let poller = try Poller(alarm: alarm.number)
    let pair = Pair()
    try poller.add(pair.near, reads: true, writes: false)
    _ = write(pair.far, [1], 1)
    #expect(try wait(poller, 1000) == 1)
    poller.remove(pair.near)
    #expect(event(poller) == .stale)
    try poller.add(pair.near, reads: true, writes: false)
    #expect(event(poller) == .stale)
    #expect(try wait(poller, 1000) == 1)
    #expect(event(poller) == .ready(pair.near, readable: true, writable: false))
  }

  @Test("The alarm wakes, until it is silenced; what is not watched cannot be changed")
  func alarm() throws {
    let alarm = try Alarm()
    let poller = try Poller(alarm: alarm.number)
    alarm.ring()
    alarm.ring()
    #expect(try wait(poller, 1000) == 1)
    #expect(event(poller) == .woken)
    alarm.silence()
    #expect(try wait(poller, 0) == 0)
    do throws(SystemError) {
      try poller.change(alarm.number, reads: true, writes: false)
      Issue.record("a descriptor that is not watched was changed")
    } catch { #expect(error.errno == ENOENT) }
  }
}
