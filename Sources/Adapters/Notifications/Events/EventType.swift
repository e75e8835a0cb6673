/// What targets can be told of.
public enum EventType: String, Sendable, Hashable, CaseIterable {
  case rotationStarted = "rotation.started"
  case rotationStageBegun = "rotation.stage-begun"
  /// The rotation has waited for longer than the target allows.
  case rotationWaiting = "rotation.waiting"
  case rotationPaused = "rotation.paused"
  case rotationAbortRequested = "rotation.abort-requested"
  case rotationEnded = "rotation.ended"
  case authorityExpiring = "ca.expiring"
  case credentialExpiring = "credential.expiring"
  case clusterDrift = "cluster.drift"
  case clusterRecordOutdated = "cluster.record-outdated"
  /// Sent when somebody tries a target.
  case test = "notification.test"

  /// What CloudEvents wants the type to begin with, in the manner of reversed DNS.
  static let prefix = "dev.omni.management."

  /// The `type` of the CloudEvent.
  public var name: String { Self.prefix + rawValue }
}
