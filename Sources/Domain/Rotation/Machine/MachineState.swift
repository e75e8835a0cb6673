/// How far a machine is in the current stage.
///
///     pending ─▶ preparing ─▶ applying ⇄ waiting
///                                │          ▲
///                                ▼          │ the change is gone
///  persisting, refreshing ⇄ verifying ─────┘
///                                │
///                                ▼
///                            verified ⇄ confirming
///                                │          │
///                                └──▶ undone ◀┘ ─▶ preparing …
public enum MachineState: Sendable, Hashable {
  /// Its turn has not come.
  case pending
  /// Its turn has come: what it shows before the change is being written down. → `applying`, `waiting`
  case preparing(Effort)
  /// Its configuration is being changed. → `verifying`, `waiting`
  case applying(Effort)
  /// Changing it did not succeed, or somebody undid it; it is tried again. → `preparing`, `applying`
  case waiting(Effort)
  /// It took the configuration and is looked at until every check passes. → `verified`, `waiting`,
  /// `refreshing`, `persisting`
  case verifying(Effort)
  /// It goes on with the trust of the stage before and is made to ask for the new one. → `verifying`
  case refreshing(Effort)
  /// All is verified but that the change is only being tried: it is made permanent. → `verifying`
  case persisting(Effort)
  /// Every check has passed. → `confirming`, `undone`
  case verified(Effort)
  /// It was verified and is looked at once more: before the workers begin, and while one of them is waited for. →
  /// `verified`, `undone`
  case confirming(Effort)
  /// It was verified, and somebody else has undone the change since: its turn comes again. → `waiting`
  case undone(Effort)

  /// What was tried; nil before its turn.
  public var effort: Effort? {
    switch self {
    case .pending: nil
    case .preparing(let effort), .applying(let effort), .waiting(let effort),
      .verifying(let effort), .refreshing(let effort), .persisting(let effort),
      .verified(let effort),
      .confirming(let effort), .undone(let effort):
      effort
    }
  }

  /// The state as the rollout policy sees it.
  public var turn: RolloutPolicy.Turn {
    switch self {
    case .pending, .undone: .pending
    case .preparing, .applying, .waiting, .verifying, .refreshing, .persisting, .confirming: .inWork
    case .verified: .done
    }
  }

  /// Whether every check has passed once in this stage and nothing was seen to the contrary since.
  public var isDone: Bool {
    switch self {
    case .verified, .confirming: true
    case .pending, .preparing, .applying, .waiting, .verifying, .refreshing, .persisting, .undone:
      false
    }
  }
}

/// What was seen of a machine before its configuration was changed, by the driver's own names.
///
/// A restart that is over can only be told from one that is yet to come by what ran before, so the driver
/// is given back what it saw. Persisted before the machine is touched.
public struct Baseline: Sendable, Hashable {
  public private(set) var facts: [String: String]

  /// The most facts, and the longest name or value in UTF-8 bytes.
  public static let limit = (facts: 32, bytes: 256)

  public init(_ facts: [String: String] = [:]) {
    self.facts = [:]
    for (name, value) in facts.sorted(by: { $0.key < $1.key }).prefix(Self.limit.facts) {
      self.facts[name.bounded(to: Self.limit.bytes)] = value.bounded(to: Self.limit.bytes)
    }
  }

  public subscript(name: String) -> String? { facts[name] }
}

/// One machine in a stage.
public struct MachineProgress: Sendable, Hashable {
  public var machine: Machine
  public var state: MachineState
  /// Since when the members do not name it any more; nil while they do.
  public var missingSince: Instant?
  /// While the members do not name it: until when it is waited for, in words; empty where nothing is known of that.
  public var absence: String
  /// Whether a configuration has been sent to it in this rotation, or may have been.
  public var touched: Bool
  /// Whether it is certain that no configuration has been sent to it in this stage. Of machines in
  /// records of older releases it is not.
  public var isUnsent: Bool
  /// What was seen before the change of this stage; nil until that is known.
  public var baseline: Baseline?
  /// When it had its turn in the stages so far, the oldest first: at most four, where a rotation goes back.
  public var times: [StageTimes]

  public init(
    machine: Machine, state: MachineState = .pending, missingSince: Instant? = nil,
    absence: String = "",
    touched: Bool = false, isUnsent: Bool = false, baseline: Baseline? = nil,
    times: [StageTimes] = []
  ) {
    self.isUnsent = isUnsent
    self.times = times
    self.machine = machine
    self.state = state
    self.missingSince = missingSince
    self.absence = absence
    self.touched = touched
    self.baseline = baseline
  }

  /// A configuration has been sent to it, or may have been.
  mutating func changeSent() {
    touched = true
    isUnsent = false
  }

  /// Whether a configuration may have reached it, one on its way included.
  public var mayHoldChange: Bool {
    if case .applying = state { true } else { touched }
  }
}
