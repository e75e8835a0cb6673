public import Rotation

/// What came of a try to deliver an event.
public enum DeliveryOutcome: Sendable, Hashable {
  /// The target has it: a status of 2xx.
  case taken
  /// The target wants nothing more: 410.
  case gone
  /// All else, in a few words; the event is tried again.
  case failed(String, retryAfter: Duration? = nil)
}

/// What is to be told to one target, and when. Pure: it is told the time.
///
/// One event is on its way at a time. One that fails goes to the end, so that an event that a target cannot bear does not
/// keep the others from it. The pause between two tries grows with each failure in a row, whichever event it was.
struct DeliveryQueue: Sendable {
  /// How many events wait at most; the one that has waited longest makes room.
  static let limit = 1000
  /// For how long an event is remembered after the records have last shown it.
  static let memory = Duration.seconds(48 * 3600)
  /// The pause after the first failure; it doubles with each further one.
  static let firstPause = Duration.seconds(1)
  static let longestPause = Duration.seconds(300)
  /// The longest pause that a target may ask for.
  static let longestAskedPause = Duration.seconds(900)

  private(set) var record: DeliveryRecord
  private(set) var pending: [CloudEvent] = []
  private var pendingIDs: Set<String> = []
  private(set) var underWay: CloudEvent?
  /// Failures since something was taken last.
  private(set) var failures = 0
  private(set) var counts = DeliveryCounts()
  /// The target wants nothing more.
  private(set) var isGone = false
  /// No try begins before, by the monotonic clock.
  private var due = Duration.zero

  init(_ record: DeliveryRecord) { self.record = record }

  /// How many events the target has yet to be told of.
  var backlog: Int { pending.count + (underWay == nil ? 0 : 1) }

  /// The records show an event, by its identifier.
  ///
  /// - Returns: whether the target has been told of it, or is about to be.
  mutating func knows(_ id: String, at now: Instant) -> Bool {
    record.see(id, at: now)
    return isGone || record.isSettled(id) || underWay?.id == id || pendingIDs.contains(id)
  }

  /// The records show an event. It is taken in if the target has not been told of it.
  ///
  /// - Returns: how many events were given up for it.
  mutating func offer(_ event: CloudEvent, at now: Instant) -> Int {
    guard !knows(event.id, at: now), isWanted(event, at: now) else { return 0 }
    append(event)
    guard pending.count > Self.limit else { return 0 }
    giveUp(removeFirst(), at: now)
    return 1
  }

  /// A condition that was forgotten would be told again and again, so none is taken in while nothing more can be remembered.
  private func isWanted(_ event: CloudEvent, at now: Instant) -> Bool {
    if event.isCondition { return !record.isFull }
    // A beginning that lies ahead is one from before the clock was set back.
    let isSince = event.time >= record.since || record.since > now
    return isSince && !isOld(event, at: now)
  }

  /// Forgets what is long settled, where nothing more could be remembered: a target that is told of conditions alone would
  /// never be told of another one.
  mutating func makeRoom(at now: Instant) {
    if record.isFull { record.prune(at: now, keeping: Self.memory) }
  }

  private mutating func append(_ event: CloudEvent) {
    pending.append(event)
    pendingIDs.insert(event.id)
  }

  private mutating func removeFirst() -> CloudEvent {
    let event = pending.removeFirst()
    pendingIDs.remove(event.id)
    return event
  }

  private func isOld(_ event: CloudEvent, at now: Instant) -> Bool {
    event.time.duration(to: now) > DeliveryRecord.newsTime
  }

  private mutating func giveUp(_ event: CloudEvent, at now: Instant) {
    record.settle(event.id, at: now)
    counts.dropped += 1
  }

  /// The event that is to be sent now; nil when there is none, one is on its way, or the pause is not over.
  ///
  /// - Returns: with it, how many were given up because they are no news any more.
  mutating func next(at now: Instant, uptime: Duration) -> (event: CloudEvent?, dropped: Int) {
    guard underWay == nil, !isGone, uptime >= due else { return (nil, 0) }
    var dropped = 0
    while !pending.isEmpty {
      let event = removeFirst()
      if !event.isCondition, isOld(event, at: now) {
        giveUp(event, at: now)
        dropped += 1
        continue
      }
      underWay = event
      return (event, dropped)
    }
    return (nil, dropped)
  }

  /// The try has ended.
  ///
  /// - Parameter chance: from 0 to 1: how much of the pause's second half is waited, so that many who failed together do
  ///   not come back together.
  mutating func ended(
    _ outcome: DeliveryOutcome, at now: Instant, uptime: Duration, chance: Double
  ) {
    guard let event = underWay else { return }
    underWay = nil
    switch outcome {
    case .taken:
      record.settle(event.id, at: now)
      record.prune(at: now, keeping: Self.memory)
      failures = 0
      counts.sent += 1
      counts.lastSuccess = now
    case .gone:
      isGone = true
      counts.failedTries += 1
      pending = []
      pendingIDs = []
    case .failed(_, let asked):
      append(event)
      failures += 1
      counts.failedTries += 1
      let whole = min(Self.firstPause * (1 << min(failures - 1, 16)), Self.longestPause)
      let pause = whole / 2 + (whole / 2) * min(max(chance, 0), 1)
      due = uptime + max(pause, min(asked ?? .zero, Self.longestAskedPause))
    }
  }

  /// Somebody has had the settings read again: the target is tried at once, also one that wanted nothing more.
  mutating func restarted() {
    isGone = false
    failures = 0
    due = .zero
  }
}

/// What has come of a target's events in this process.
public struct DeliveryCounts: Sendable, Hashable {
  public var sent = 0
  public var failedTries = 0
  public var dropped = 0
  /// Nil while nothing has been taken.
  public var lastSuccess: Instant?

  public init() {}
}
