import Dispatch
public import Rotation
import Synchronization

/// What couriers need of the world around them.
public struct CourierSurroundings: Sendable {
  /// The time of day.
  public var now: @Sendable () -> Instant
  /// A clock that is never set.
  public var uptime: @Sendable () -> Duration
  /// Carries out one try. Blocks.
  public var send: @Sendable (CloudEvent, TargetSettings) -> DeliveryOutcome
  /// Keeps what a target has been told of, by the target's name. Blocks.
  public var keep: @Sendable (String, DeliveryRecord) throws -> Void
  public var report: @Sendable (CourierReport) -> Void

  public init(
    now: @escaping @Sendable () -> Instant, uptime: @escaping @Sendable () -> Duration,
    send: @escaping @Sendable (CloudEvent, TargetSettings) -> DeliveryOutcome,
    keep: @escaping @Sendable (String, DeliveryRecord) throws -> Void,
    report: @escaping @Sendable (CourierReport) -> Void
  ) {
    self.now = now
    self.uptime = uptime
    self.send = send
    self.keep = keep
    self.report = report
  }
}

/// What the log is told of a target.
public enum CourierReport: Sendable, Equatable {
  case delivered(target: String, CloudEvent)
  /// Said at the first failure, and every five minutes while it goes on.
  case failing(target: String, reason: String, failures: Int)
  case recovered(target: String)
  /// The target wants nothing more.
  case gone(target: String)
  /// So many events were given up since that was last said.
  case dropped(target: String, Int)
  /// What was delivered cannot be written down: it may be sent again after a restart.
  case unrecorded(target: String, reason: String)
}

/// Brings one target its events, on a thread of its own, so that a slow one keeps nobody else waiting.
public final class Courier: Sendable {
  private struct State {
    var queue: DeliveryQueue
    var target: TargetSettings
    var isWorking = false
    var isStopped = false
    var isRemoved = false
    /// Since when it fails without a success in between.
    var isFailing = false
    var dropped = 0
    /// When the log was last told of failures, of what was dropped, and of what cannot be written.
    var told: [String: Duration] = [:]
  }

  public let name: String
  private let surroundings: CourierSurroundings
  private let state: Mutex<State>
  private let thread: DispatchQueue
  private static let tellingPause = Duration.seconds(300)

  public init(
    _ target: TargetSettings, _ record: DeliveryRecord, _ surroundings: CourierSurroundings
  ) {
    name = target.name
    self.surroundings = surroundings
    state = Mutex(State(queue: DeliveryQueue(record), target: target))
    thread = DispatchQueue(label: "omnid.notify.\(target.name)")
  }

  /// The target as it is now.
  public var target: TargetSettings { state.withLock { $0.target } }

  public var counts: DeliveryCounts { state.withLock { $0.queue.counts } }

  /// How many events the target has yet to be told of.
  public var backlog: Int { state.withLock { $0.queue.backlog } }

  /// Takes other settings over. What waits is tried at once, also where the target wanted nothing more.
  public func update(_ target: TargetSettings) {
    state.withLock { state in
      state.target = target
      state.queue.restarted()
    }
    go()
  }

  /// Which of the identifiers are news to the target. All of them stand in the records.
  public func news(among ids: [String]) -> Set<String> {
    let now = surroundings.now()
    return state.withLock { state in Set(ids.filter { !state.queue.knows($0, at: now) }) }
  }

  /// Takes events in, those that the target has been told of aside, and sends what is due.
  public func offer(_ events: [CloudEvent]) {
    let now = surroundings.now()
    let dropped = state.withLock { state in
      state.queue.makeRoom(at: now)
      return events.reduce(0) { $0 + state.queue.offer($1, at: now) }
    }
    drop(dropped)
    go()
  }

  /// Nothing is begun any more. What is under way ends as the sender's stop signal wants.
  public func stop() { state.withLock { $0.isStopped = true } }

  /// The target has been taken out: what it was told of is kept no more.
  public func remove() {
    state.withLock { state in
      state.isStopped = true
      state.isRemoved = true
    }
  }

  /// Whether nothing is on its way and nothing is due.
  public var isIdle: Bool { state.withLock { !$0.isWorking } }

  private func go() {
    let begins = state.withLock { state in
      guard !state.isWorking, !state.isStopped, state.queue.backlog > 0 else { return false }
      state.isWorking = true
      return true
    }
    if begins { thread.async { self.work() } }
  }

  // MARK: - On the thread

  private func work() {
    while let (event, target) = begin() {
      let sent = surroundings.send(event, target)
      let (outcome, record) = state.withLock { state -> (DeliveryOutcome, DeliveryRecord?) in
        // What the target said that was meant before is not held against the one that is meant now.
        let isOther = sent != .taken && state.target != target
        let outcome = isOther ? .failed("its settings have changed meanwhile") : sent
        state.queue.ended(
          outcome, at: surroundings.now(), uptime: surroundings.uptime(),
          chance: Double.random(in: 0...1))
        return (outcome, outcome == .taken && !state.isRemoved ? state.queue.record : nil)
      }
      if let record { keep(record) }
      tell(outcome, event)
    }
  }

  private func begin() -> (CloudEvent, TargetSettings)? {
    let (found, dropped) = state.withLock { state -> ((CloudEvent, TargetSettings)?, Int) in
      let next =
        state.isStopped
        ? (event: nil, dropped: 0)
        : state.queue.next(at: surroundings.now(), uptime: surroundings.uptime())
      guard let event = next.event else {
        state.isWorking = false
        return (nil, next.dropped)
      }
      return ((event, state.target), next.dropped)
    }
    drop(dropped)
    return found
  }

  private func keep(_ record: DeliveryRecord) {
    do { try surroundings.keep(name, record) } catch {
      let reason = (error as? NotificationError)?.message ?? "\(error)"
      if isDue("unrecorded") { surroundings.report(.unrecorded(target: name, reason: reason)) }
    }
  }

  private func tell(_ outcome: DeliveryOutcome, _ event: CloudEvent) {
    switch outcome {
    case .taken:
      let wasFailing = state.withLock { state in
        defer {
          state.isFailing = false
          state.told["failing"] = nil
        }
        return state.isFailing
      }
      if wasFailing { surroundings.report(.recovered(target: name)) }
      surroundings.report(.delivered(target: name, event))
    case .gone: surroundings.report(.gone(target: name))
    case .failed(let reason, _):
      let failures = state.withLock { state in
        state.isFailing = true
        return state.queue.failures
      }
      guard isDue("failing") else { return }
      surroundings.report(.failing(target: name, reason: reason, failures: failures))
    }
  }

  /// Counts what was given up, and says so, at most every five minutes.
  private func drop(_ count: Int) {
    guard count > 0 else { return }
    state.withLock { $0.dropped += count }
    guard isDue("dropped") else { return }
    let all = state.withLock { state in
      defer { state.dropped = 0 }
      return state.dropped
    }
    surroundings.report(.dropped(target: name, all))
  }

  private func isDue(_ what: String) -> Bool {
    let uptime = surroundings.uptime()
    return state.withLock { state in
      if let last = state.told[what], uptime - last < Self.tellingPause { return false }
      state.told[what] = uptime
      return true
    }
  }
}
