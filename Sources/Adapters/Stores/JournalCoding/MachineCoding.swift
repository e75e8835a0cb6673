import Orchestrator
import ProtoCodec
import Rotation
import Schema

extension MachineProgress {
  var journal: Journal.MachineProgress {
    var progress = Journal.MachineProgress()
    progress.machine = Journal.Machine(machine)
    progress.missingSince = missingSince.map { Timestamp($0) }
    progress.absence = absence
    progress.effort = state.effort?.journal
    progress.state =
      switch state {
      case .pending: .pending
      case .applying: .applying
      case .waiting: .waiting
      case .verifying: .verifying
      case .verified: .verified
      case .preparing: .preparing
      case .confirming: .confirming
      case .refreshing: .refreshing
      case .persisting: .persisting
      case .undone: .undone
      }
    progress.touched = touched
    progress.unsent = isUnsent
    progress.baseline = baseline?.journal ?? []
    progress.times = times.map(\.journal)
    return progress
  }

  init(journal progress: Journal.MachineProgress) throws(StoreError) {
    let effort = try Effort(journal: progress.effort)
    let state: MachineState
    switch progress.state {
    case .pending: state = .pending
    case .applying: state = .applying(effort)
    case .waiting: state = .waiting(effort)
    case .verifying: state = .verifying(effort)
    case .verified: state = .verified(effort)
    case .preparing: state = .preparing(effort)
    case .confirming: state = .confirming(effort)
    case .refreshing: state = .refreshing(effort)
    case .persisting: state = .persisting(effort)
    case .undone: state = .undone(effort)
    default: throw .unreadable("machine state \(progress.state.rawValue)")
    }
    var times: [StageTimes] = []
    for entry in progress.times { times.append(try StageTimes(journal: entry)) }
    self.init(
      machine: try progress.machine.required("machine").machine, state: state,
      missingSince: progress.missingSince?.instant, absence: progress.absence,
      touched: progress.touched, isUnsent: progress.unsent,
      baseline: Baseline(journal: progress.baseline), times: times)
  }
}

extension StageTimes {
  fileprivate var journal: Journal.StageTimes {
    var times = Journal.StageTimes()
    times.phase = phase.journal
    times.backward = direction == .backward
    times.begunAt = Timestamp(begunAt)
    times.verifiedAt = verifiedAt.map { Timestamp($0) }
    return times
  }

  fileprivate init(journal times: Journal.StageTimes) throws(StoreError) {
    self.init(
      phase: try Rotation.RotationPhase(journal: times.phase),
      direction: times.backward ? .backward : .forward,
      begunAt: try times.begunAt.required("begun_at").instant,
      verifiedAt: times.verifiedAt?.instant)
  }
}

extension Baseline {
  /// The facts by name. A fact of its own says that there is a baseline, since it may be empty.
  fileprivate var journal: [Journal.Fact] {
    [Journal.Fact(Baseline.isTaken, "")]
      + facts.sorted { $0.key < $1.key }.map { Journal.Fact($0.key, $0.value) }
  }

  /// Nil where none was taken.
  fileprivate init?(journal facts: [Journal.Fact]) {
    guard !facts.isEmpty else { return nil }
    self.init(
      Dictionary(
        facts.filter { $0.name != Baseline.isTaken }.map { ($0.name, $0.value) },
        uniquingKeysWith: { first, _ in first }))
  }

  private static let isTaken = "taken"
}

extension Journal.Fact {
  fileprivate init(_ name: String, _ value: String) {
    self.init()
    self.name = name
    self.value = value
  }
}

extension Effort {
  /// Nil when nothing has been tried, which is what the absent message means.
  var journal: Journal.Effort? {
    guard self != Effort() else { return nil }
    var effort = Journal.Effort()
    effort.attempts = Int32(clamping: attempts)
    effort.failures = Int32(clamping: failures)
    effort.repetitions = Int32(clamping: repetitions)
    effort.checks = checks.map(\.journal)
    effort.lastError = lastError
    effort.waitingSince = waitingSince.map { Timestamp($0) }
    effort.nextAttemptAt = nextAttemptAt.map { Timestamp($0) }
    effort.begunAt = begunAt.map { Timestamp($0) }
    return effort
  }

  init(journal effort: Journal.Effort?) throws(StoreError) {
    guard let effort else {
      self.init()
      return
    }
    var checks: [CheckRecord] = []
    for check in effort.checks { checks.append(try CheckRecord(journal: check)) }
    self.init(
      attempts: Int(effort.attempts), failures: Int(effort.failures),
      repetitions: Int(effort.repetitions), checks: checks, lastError: effort.lastError,
      waitingSince: effort.waitingSince?.instant, nextAttemptAt: effort.nextAttemptAt?.instant,
      begunAt: effort.begunAt?.instant)
  }
}

extension CheckRecord {
  var journal: Journal.Check {
    var check = Journal.Check()
    check.name = result.name
    check.detail = result.detail
    check.since = Timestamp(since)
    check.lastError = lastError
    check.state =
      switch result.state {
      case .passed: .passed
      case .failed: .failed
      case .waiting: .waiting
      case .notApplicable: .notApplicable
      }
    return check
  }

  init(journal check: Journal.Check) throws(StoreError) {
    let state: CheckResult.State
    switch check.state {
    case .passed: state = .passed
    case .failed: state = .failed
    case .waiting: state = .waiting
    case .notApplicable: state = .notApplicable
    default: throw .unreadable("check state \(check.state.rawValue)")
    }
    self.init(
      result: CheckResult(named: check.name, state, check.detail),
      since: try check.since.required("since").instant, lastError: check.lastError)
  }
}
