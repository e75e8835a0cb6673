/// How a rotation is paced. Not part of its persisted state: a restart may change the rules.
public struct RotationRules: Sendable, Hashable {
  public var rollout: RolloutPolicy
  public var backoff: Backoff
  /// How often the members are asked for while a stage is under way.
  public var memberInterval: Duration
  /// How long a machine that has left must be missing from the members before it is dropped. Seen
  /// missing once is not enough: a machine that is made anew is away for a moment.
  public var departureGrace: Duration
  /// For how long a worker may go on with the trust of the stage before until it is made to ask again.
  public var refreshAfter: Duration
  /// How often the control planes are looked at while a worker is waited for (`Stage.isStuck`).
  public var planeInterval: Duration
  /// How often the hooks that hold a stage are asked again.
  public var hookBackoff: Backoff

  public init(
    rollout: RolloutPolicy = RolloutPolicy(), backoff: Backoff = .looking,
    memberInterval: Duration = .seconds(30), departureGrace: Duration = .seconds(60),
    refreshAfter: Duration = .seconds(20), planeInterval: Duration = .seconds(30),
    hookBackoff: Backoff = .asking
  ) {
    self.planeInterval = planeInterval
    self.hookBackoff = hookBackoff
    self.refreshAfter = refreshAfter
    self.rollout = rollout
    self.backoff = backoff
    self.memberInterval = memberInterval
    self.departureGrace = departureGrace
  }
}

extension RotationRules {
  /// The order of turns for a rotation with these options.
  public func rollout(_ options: RotationOptions) -> RolloutPolicy {
    var policy = rollout
    if let limit = options.workerLimit { policy.workerLimit = max(1, limit) }
    return policy
  }
}

/// How long to wait before the next try. Without chance: the same history gives the same delays.
public struct Backoff: Sendable, Hashable {
  /// The delay after the first failure in a row, after the second, and so on; the last one repeats.
  public var delays: [Duration]
  /// The longest delay before the next look at what is not wrong, and merely not there yet.
  public var longestLook: Duration
  /// For how long that is looked at so often; after that as seldom as anything else.
  public var lookTime: Duration

  /// - Parameters:
  ///   - delays: must not be empty.
  ///   - longestLook: nil: as long as any other.
  public init(
    delays: [Duration] = Backoff.usual, longestLook: Duration? = nil,
    lookTime: Duration = .seconds(120)
  ) {
    precondition(!delays.isEmpty, "a backoff needs a delay")
    self.delays = delays
    self.longestLook = longestLook ?? delays.max() ?? .zero
    self.lookTime = lookTime
  }

  /// Of people and change windows, which take their time.
  public static let asking = Backoff(
    delays: [.seconds(5), .seconds(10), .seconds(20), .seconds(30), .seconds(60)])

  /// At most half a second between looks while machines restart what they have to.
  public static let looking = Backoff(longestLook: .milliseconds(500))

  /// At once again after the first look, since most machines act on a new configuration within a tenth of a
  /// second; about once a second while one takes the usual time to restart what it has to; slower the
  /// longer it takes, every ten seconds in the end.
  public static let usual: [Duration] = [
    .milliseconds(100), .milliseconds(250), .milliseconds(500), .seconds(1), .seconds(1),
    .seconds(1), .seconds(1), .seconds(2), .seconds(3), .seconds(5), .seconds(8), .seconds(10),
  ]

  /// The delay after `failures` failures in a row; the shortest for less than one.
  public func delay(after failures: Int) -> Duration {
    delays[min(max(failures, 1), delays.count) - 1]
  }

  /// The delay before the next look at what is merely not there yet.
  ///
  /// - Parameter waited: for how long it has been waited for.
  public func delay(after failures: Int, waited: Duration) -> Duration {
    let delay = delay(after: failures)
    return waited < lookTime ? min(delay, longestLook) : delay
  }

  /// The longest delay there is.
  public var longest: Duration { delays.max() ?? .zero }
}
