/// One of the two authorities that take part in a rotation.
public enum AuthorityGeneration: Sendable, Hashable, CaseIterable {
  case old, new
}

/// What one machine holds of the component that is rotated.
public struct TrustBundle: Sendable, Hashable {
  /// The authority from which certificates are issued: `machine.ca` or `cluster.ca`.
  public var issuing: AuthorityGeneration
  /// Every authority that is trusted, the issuing one first, none twice.
  public var accepted: [AuthorityGeneration]
  /// Whether the machine holds the issuing authority's private key. Talos refuses a control plane
  /// without it and a worker with it.
  public var holdsIssuingKey: Bool

  public init(issuing: AuthorityGeneration, accepted: [AuthorityGeneration], holdsIssuingKey: Bool)
  {
    self.issuing = issuing
    self.accepted = accepted
    self.holdsIssuingKey = holdsIssuingKey
  }

  /// Whether a machine with this bundle verifies what a machine with `other` presents.
  public func verifies(_ other: TrustBundle) -> Bool { accepted.contains(other.issuing) }
}

/// Which authorities a machine issues from and accepts, at every point of a rotation.
///
/// A total pure function: there is an answer for every component, stage, direction and role. Two
/// neighbouring bundles always verify each other, so a rotation may stand still at any moment, with
/// any subset of the machines changed, and no machine loses another.
public enum TrustPlan {
  /// What a machine of `role` holds once `phase` has been carried out on it (`.forward`) or undone
  /// on it (`.backward`, which is what it held before the stage).
  public static func bundle(
    _ component: SecretComponent, _ phase: RotationPhase, _ role: MachineRole,
    _ direction: RotationDirection = .forward
  ) -> TrustBundle {
    let keyed = role == .controlPlane
    switch (phase, direction) {
    case (.preRotate, .backward):
      return TrustBundle(issuing: .old, accepted: [.old], holdsIssuingKey: keyed)
    case (.preRotate, .forward), (.rotate, .backward):
      return TrustBundle(issuing: .old, accepted: [.old, .new], holdsIssuingKey: keyed)
    case (.rotate, .forward), (.postRotate, .backward):
      return TrustBundle(issuing: .new, accepted: [.new, .old], holdsIssuingKey: keyed)
    case (.postRotate, .forward):
      return TrustBundle(issuing: .new, accepted: [.new], holdsIssuingKey: keyed)
    }
  }
}
