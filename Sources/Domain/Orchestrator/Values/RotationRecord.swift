public import Rotation

/// A rotation as it stands in the journal.
public struct RotationRecord: Sendable, Hashable {
  public var id: String
  public var cluster: String
  /// The how-many-th rotation of its cluster, from 1.
  public var ordinal: UInt64
  public var component: SecretComponent
  /// The authority that is replaced. Stays, sealed, as long as the record does.
  public var old: SealedAuthority
  /// The authority that takes its place: made once, before the record was first written.
  public var new: SealedAuthority
  /// Where the rotation is.
  public var state: RotationMachine.State
  /// What else happened: machines that joined or left.
  public var notes: [String]
  public var reason: String
  /// What decides what has to be rotated; nil where nobody has said.
  public var cause: RotationCause?
  public var requester: String
  /// The call that has said last what the rotation has to do (started, aborted, continued, locked it), as the server's
  /// log has the call; empty where no call has.
  public var call: String
  /// What it is allowed beyond the usual.
  public var options: RotationOptions
  /// Whether somebody else had begun it, and it was taken over from what the machines showed.
  public var isAdopted: Bool
  /// For how long it has been carried out, by the monotonic clock; the time without a server is not
  /// counted.
  public var elapsed: Duration
  public var startedAt: Instant
  public var updatedAt: Instant
  public var finishedAt: Instant?
  public var revision: Revision

  public init(
    id: String, cluster: String, ordinal: UInt64, component: SecretComponent,
    old: SealedAuthority, new: SealedAuthority, state: RotationMachine.State, notes: [String],
    reason: String, cause: RotationCause? = nil, requester: String, call: String = "",
    options: RotationOptions = RotationOptions(), isAdopted: Bool = false,
    elapsed: Duration = .zero, startedAt: Instant, updatedAt: Instant, finishedAt: Instant? = nil,
    revision: Revision = 0
  ) {
    self.cause = cause
    self.options = options
    self.isAdopted = isAdopted
    self.elapsed = elapsed
    self.id = id
    self.cluster = cluster
    self.ordinal = ordinal
    self.component = component
    self.old = old
    self.new = new
    self.state = state
    self.notes = notes
    self.reason = reason
    self.requester = requester
    self.call = call
    self.startedAt = startedAt
    self.updatedAt = updatedAt
    self.finishedAt = finishedAt
    self.revision = revision
  }

  /// The first moment of which it is certain that the rotation began before: what comes to light then is not dealt with by
  /// the rotation, although the clock may have been set back.
  var lateMoment: Instant { startedAt.advanced(by: .nanoseconds(1)) }

  /// The authority that goes when the rotation ends as it stands: the new one where it goes, or went, back.
  var retiring: SealedAuthority {
    if case .aborted = state { return new }
    return state.stage?.reversal == nil ? old : new
  }

  /// What is done to every machine in a stage; before the first, what that does.
  public func change(_ stage: Stage?) -> TrustChange {
    TrustChange(
      component: component, phase: stage?.phase ?? .preRotate,
      direction: stage?.direction ?? .forward, old: old, new: new, options: options)
  }
}

/// The answer that was given to a request with an identifier of its own.
public struct RequestRecord: Sendable, Hashable {
  /// How many are kept of one rotation: who may attach to it could fill the store otherwise.
  public static let limit = 256

  public var id: String
  public var cluster: String
  public var component: SecretComponent
  /// The rotation that was started or attached to.
  public var rotation: String
  public var ordinal: UInt64
  public var attached: Bool
  /// What was said to have happened.
  public var cause: StatedCause
  public var answeredAt: Instant

  public init(
    id: String, cluster: String, component: SecretComponent, rotation: String, ordinal: UInt64,
    attached: Bool, cause: StatedCause = .notKept, answeredAt: Instant
  ) {
    self.cause = cause
    self.id = id
    self.cluster = cluster
    self.component = component
    self.rotation = rotation
    self.ordinal = ordinal
    self.attached = attached
    self.answeredAt = answeredAt
  }
}
