internal import Schema

/// How long a rotation is followed.
enum WaitLimit: Equatable, Sendable {
  /// Until it is over, however long that takes.
  case none
  /// That long in all.
  case total(Duration)
  /// As long as it gets on: that long without anything new.
  case standstill(Duration)
}

/// When a rotation that is followed is waited for no longer.
struct WaitClock {
  let limit: WaitLimit
  private let start: ContinuousClock.Instant
  private var progress = RotationProgress()
  private var advanced: ContinuousClock.Instant
  /// The end of a soak that ends by itself, which is no standstill.
  private var soakEnd: ContinuousClock.Instant?
  /// The end of the soak as the server has told it.
  private var soakShown: Timestamp?

  init(_ limit: WaitLimit, at now: ContinuousClock.Instant) {
    self.limit = limit
    start = now
    advanced = now
  }

  /// Takes in a status that has just arrived.
  mutating func take(_ status: RotationStatus, at now: ContinuousClock.Instant) {
    if progress.take(status) { advanced = now }
    // The same end, told again after a cut connection, is no later for that.
    guard status.soakEndsAt != soakShown else { return }
    soakShown = status.soakEndsAt
    soakEnd = status.soakEndsAt.map { end in
      now + .seconds(status.updatedAt.map { Moment.seconds(from: $0, to: end) } ?? 0)
    }
  }

  /// Nil: never, for now.
  var deadline: ContinuousClock.Instant? {
    switch limit {
    case .none: nil
    case .total(let most): start + most
    case .standstill(let most): max(advanced, soakEnd ?? advanced) + most
    }
  }
}

/// Whether a rotation gets on.
///
/// What has been reached counts once: a machine that is tried again and again, and a check that passes and fails in
/// turn, bring nothing new.
struct RotationProgress {
  private struct Step: Hashable {
    var machine: String
    var phase: Int32
    /// Whether the rotation was going back: each stage that is undone is new.
    var isUndone: Bool
    /// The check that has passed; empty: the machine is done.
    var check: String
  }

  private var state: RotationState?
  private var goesBack = false
  private var reached: Set<Step> = []

  /// - Returns: whether the status holds something that none before it did.
  mutating func take(_ status: RotationStatus) -> Bool {
    let before = (reached.count, state)
    state = status.state
    // While it is paused on its way back, its state does not say so.
    if status.state == .aborting { goesBack = true }
    let phase = status.phase.rawValue
    reached.insert(step("", phase))
    for check in status.clusterChecks where check.state == .passed {
      reached.insert(step("", phase, check.name))
    }
    for machine in status.machines {
      let phase = machine.phase.rawValue
      if machine.state == .done {
        reached.insert(step(machine.machine, phase))
      }
      for check in machine.checks where check.state == .passed {
        reached.insert(step(machine.machine, phase, check.name))
      }
    }
    return before != (reached.count, state)
  }

  private func step(_ machine: String, _ phase: Int32, _ check: String = "") -> Step {
    Step(machine: machine, phase: phase, isUndone: goesBack, check: check)
  }
}
