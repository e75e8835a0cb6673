public import Rotation

/// Something about a cluster or its rotation that somebody outside wants to be told of, once.
///
/// An event is worked out from the records whenever somebody asks, and kept nowhere: the same records give the same events
/// with the same keys, before and after a restart. Whoever tells of them remembers the keys that were told.
public struct ClusterEvent: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// A rotation was recorded. It has been begun, or was taken over from somebody else.
    case rotationStarted
    /// The first machine has its turn in a stage, or, on the way back, in undoing it.
    case stageBegan(RotationPhase, RotationDirection)
    /// The rotation waits.
    case waiting(Wait)
    /// Locks, or the wait before POST_ROTATE, keep the rotation from going on.
    case paused
    /// Somebody has turned the rotation back in that stage.
    case abortRequested(by: String, in: RotationPhase)
    /// The rotation is over.
    case rotationEnded
    /// An authority expires within that time; zero: it has expired.
    case authorityExpiring(ExpiringAuthority, within: Duration)
    /// A credential that omnid has handed out for long expires soon.
    case credentialExpiring(HeldCredential)
    /// A machine accepts a retired authority again.
    case authorityReturned(ReturnedAuthority)
    /// The machines no longer use the authorities on record.
    case recordOutdated
  }

  /// What a rotation waits for.
  public struct Wait: Sendable, Hashable {
    public enum Subject: Sendable, Hashable {
      case machine(String)
      /// The list of the cluster's members.
      case members
      /// The checks of the cluster as a whole, between two stages.
      case cluster
    }

    public var subject: Subject
    /// Since when, as it was recorded.
    public var since: Instant
  }

  /// An authority and its end.
  public struct ExpiringAuthority: Sendable, Hashable {
    public var component: SecretComponent
    public var fingerprint: String
    public var notAfter: Instant
  }

  public var kind: Kind
  /// The cluster's name.
  public var cluster: String
  /// The rotation as it is now; nil for what concerns the cluster alone.
  public var rotation: RotationSnapshot?
  /// When it happened, by the clock of this host: for `waiting`, when the wait began.
  public var time: Instant
  /// What tells the event from every other one. The same whenever the event is worked out, whatever else has happened
  /// since.
  public var key: [String]

  /// Whether the event is told for as long as it holds, however long ago it began. What happened once is news for a while.
  public var isCondition: Bool {
    switch kind {
    case .waiting, .paused, .authorityExpiring, .credentialExpiring, .authorityReturned,
      .recordOutdated:
      true
    case .rotationStarted, .stageBegan, .abortRequested, .rotationEnded: false
    }
  }

  /// An authority is told of when it expires within these times; the last: when it has.
  public static let expiryThresholds: [Duration] = [
    .seconds(30 * 86_400), .seconds(7 * 86_400), .seconds(86_400), .zero,
  ]
  /// Of how many credentials of a cluster that expire soon is told at a time, because whoever may have credentials issued
  /// must not fill a target's queue with them.
  public static let credentialLimit = 16
}
