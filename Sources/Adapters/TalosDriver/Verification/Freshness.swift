import Orchestrator
import Rotation
import Synchronization

/// Whether changes that machines show are fresh.
///
/// A machine's time stamps are by its own clock, and either clock may be set while a rotation runs. So a change counts as
/// fresh for a while from when this host has first seen its stamp, by the monotonic clock; the clocks are compared only
/// to leave out what is long over when it is seen first.
struct Freshness: Sendable {
  /// By this host's clock.
  var now: Instant
  /// For how long this host has seen the stamp of something that changes.
  var seen: @Sendable (_ what: String, _ stamp: Instant) -> Duration

  /// By how much the clocks may differ, or be set, without harm.
  static let tolerance = Duration.seconds(600)

  func holds(_ what: String, _ stamp: Instant, within limit: Duration) -> Bool {
    let age = stamp.duration(to: now)
    guard age < limit + Self.tolerance, age > .zero - limit - Self.tolerance else { return false }
    return seen(what, stamp) < limit
  }
}

extension TalosDriver {
  /// The stamps of one machine.
  func freshness(_ machine: Machine) -> Freshness {
    Freshness(now: Instant(secondsSince1970: now())) { what, stamp in
      self.notes.withLock { $0.seen("\(machine.identity)\(machine.address) \(what)", stamp) }
    }
  }
}

extension TalosDriver.Notes {
  /// More stamps than any set of clusters shows.
  private static let maximumStamps = 16_384

  /// For how long the stamp has been seen; zero for a new one.
  mutating func seen(_ key: String, _ stamp: Instant) -> Duration {
    let now = ContinuousClock.now
    if let known = stamps[key], known.stamp == stamp { return now - known.since }
    if stamps.count >= Self.maximumStamps { stamps = [:] }
    stamps[key] = (stamp, now)
    return .zero
  }
}
