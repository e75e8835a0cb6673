public import Rotation

/// Those who are asked before a stage of a rotation begins, and may hold it: change windows, load balancers.
///
/// They are asked again after a restart, and whenever one has not agreed, so asking has to be idempotent.
public protocol StageHooks: Sendable {
  /// Who is asked, in this order.
  var names: [String] { get async }

  /// Asks one after the other, until one does not agree. Returns in a bounded time, and at once when the task is
  /// cancelled; what cannot be asked does not agree.
  func ask(_ question: StageQuestion) async -> StageAnswer
}

/// What the hooks before a stage are told. No key, and nothing that a reader may not know.
public struct StageQuestion: Sendable, Hashable {
  public var cluster: String
  public var rotation: String
  public var component: SecretComponent
  /// The stage that is about to begin.
  public var phase: RotationPhase
  public var oldFingerprint: String
  public var newFingerprint: String
  public var controlPlanes: Int
  public var workers: Int
  public var requester: String
  public var reason: String
  /// How often they have been asked about this stage, this time included.
  public var attempt: Int

  public init(
    cluster: String, rotation: String, component: SecretComponent, phase: RotationPhase,
    oldFingerprint: String, newFingerprint: String, controlPlanes: Int, workers: Int,
    requester: String, reason: String, attempt: Int
  ) {
    self.cluster = cluster
    self.rotation = rotation
    self.component = component
    self.phase = phase
    self.oldFingerprint = oldFingerprint
    self.newFingerprint = newFingerprint
    self.controlPlanes = controlPlanes
    self.workers = workers
    self.requester = requester
    self.reason = reason
    self.attempt = attempt
  }

  init(_ rotation: RotationRecord, _ stage: Stage, _ hold: StageHold) {
    let planes = stage.machines.count { $0.machine.role == .controlPlane }
    self.init(
      cluster: rotation.cluster, rotation: rotation.id, component: rotation.component,
      phase: hold.phase, oldFingerprint: rotation.old.fingerprint,
      newFingerprint: rotation.new.fingerprint, controlPlanes: planes,
      workers: stage.machines.count - planes, requester: rotation.requester,
      reason: rotation.reason, attempt: hold.effort.attempts + 1)
  }
}
