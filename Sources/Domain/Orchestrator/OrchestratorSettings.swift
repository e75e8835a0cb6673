import Encodings
public import Rotation

/// What can be chosen about an orchestrator.
public struct OrchestratorSettings: Sendable {
  /// Order and pace of the rotations.
  public var rules: RotationRules
  /// How many rotations of a cluster are kept, the one under way included; at least 1. With an
  /// older one its sealed authorities are forgotten, and the answers to its requests.
  public var historyLimit: UInt64
  /// Snapshots that may wait for a slow watch before intermediate ones are dropped.
  public var watchQueueLimit: Int
  /// Answers with a new identifier for a rotation, never the same twice.
  public var makeID: @Sendable () -> String
  /// How often every cluster's machines are looked at for retired authorities that have come back; nil: never.
  public var driftInterval: Duration?
  /// Told which authorities others have to trust before a rotation touches a machine; nil: nobody is.
  public var trustPublisher: (any TrustPublisher)?
  /// Asked before each stage of a rotation, and may hold it; nil: nobody is.
  public var stageHooks: (any StageHooks)?
  /// Where the reconciling tasks run; nil is the concurrency runtime's own pool.
  public var executor: (any TaskExecutor)?

  public init(
    rules: RotationRules = RotationRules(), historyLimit: UInt64 = 100,
    watchQueueLimit: Int = 256,
    makeID: @escaping @Sendable () -> String = OrchestratorSettings.randomID,
    driftInterval: Duration? = nil, trustPublisher: (any TrustPublisher)? = nil,
    stageHooks: (any StageHooks)? = nil, executor: (any TaskExecutor)? = nil
  ) {
    self.trustPublisher = trustPublisher
    self.stageHooks = stageHooks
    self.driftInterval = driftInterval
    self.rules = rules
    self.historyLimit = max(1, historyLimit)
    self.watchQueueLimit = max(1, watchQueueLimit)
    self.makeID = makeID
    self.executor = executor
  }

  /// 80 random bits as 20 hexadecimal digits.
  public static let randomID: @Sendable () -> String = {
    var generator = SystemRandomNumberGenerator()
    return Hexadecimal.encode(
      (0..<10).map { _ in UInt8.random(in: 0 ... .max, using: &generator) })
  }
}
