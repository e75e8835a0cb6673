public import Rotation

/// The authorities that whoever talks to a cluster has to trust now: load balancers, monitoring, pipelines.
///
/// A pure function of what is on record. Both authorities of a rotation are in it from the moment that the rotation is
/// on record until its end is, so whoever follows it trusts the new one before the first machine issues from it, and the
/// old one until no machine does, on the way back as well.
public struct ClusterTrust: Sendable, Hashable {
  public var cluster: String
  /// The revision of what it was made from.
  public var revision: Revision
  /// Whether the machines live by other authorities than the record has, as far as they have been asked: another tool
  /// has rotated, or the store was restored from an older backup.
  public var isOutdated: Bool
  /// Those of each component that the cluster has, in the order of `SecretComponent.allCases`.
  public var bundles: [ComponentTrust]

  public init(cluster: String, revision: Revision, isOutdated: Bool, bundles: [ComponentTrust]) {
    self.cluster = cluster
    self.revision = revision
    self.isOutdated = isOutdated
    self.bundles = bundles
  }

  /// - Parameter rotation: the one that is under way.
  init(_ cluster: ClusterRecord, rotation: RotationRecord?, isOutdated: Bool) {
    self.init(
      cluster: cluster.name, revision: max(cluster.revision, rotation?.revision ?? 0),
      isOutdated: isOutdated,
      bundles: SecretComponent.allCases.compactMap { component in
        ComponentTrust(
          component, cluster, rotation: rotation?.component == component ? rotation : nil)
      })
  }

  /// Whether it differs in nothing but the revision.
  public func isSame(as other: ClusterTrust) -> Bool {
    cluster == other.cluster && isOutdated == other.isOutdated && bundles == other.bundles
  }

  /// What is to be trusted of the component; nil where the cluster has none.
  public subscript(component: SecretComponent) -> ComponentTrust? {
    bundles.first { $0.component == component }
  }
}

/// The authorities of one component that have to be trusted now.
public struct ComponentTrust: Sendable, Hashable {
  public var component: SecretComponent
  /// The rotation of the component that is under way; empty where there is none.
  public var rotation: String
  /// Its stage; nil where there is no rotation, and before the machines are known.
  public var phase: RotationPhase?
  /// Whether it goes back to the old authority.
  public var isGoingBack: Bool
  /// At least one; those from which machines issue first.
  public var authorities: [TrustedAuthority]

  public init(
    component: SecretComponent, rotation: String = "", phase: RotationPhase? = nil,
    isGoingBack: Bool = false, authorities: [TrustedAuthority]
  ) {
    self.component = component
    self.rotation = rotation
    self.phase = phase
    self.isGoingBack = isGoingBack
    self.authorities = authorities
  }

  /// - Parameter rotation: of this component, under way.
  init?(_ component: SecretComponent, _ cluster: ClusterRecord, rotation: RotationRecord?) {
    guard let rotation else {
      guard let current = cluster.authorities[component] else { return nil }
      var authorities = [TrustedAuthority(current, nil, isIssuing: true)]
      // Another tool has rotated since the import. Which machines are left behind is known when its rotation has been
      // taken over.
      if let before = cluster.predecessors[component] {
        authorities.append(TrustedAuthority(before, .old, isIssuing: true))
      }
      self.init(component: component, authorities: authorities)
      return
    }
    let stage = rotation.state.stage
    let phase = stage?.phase
    let issuing = Self.issuing(component, phase)
    var authorities: [TrustedAuthority] = []
    for (authority, generation) in [
      (rotation.old, AuthorityGeneration.old), (rotation.new, .new),
    ] {
      let trusted = TrustedAuthority(
        authority, generation, isIssuing: issuing.contains(generation))
      // A retired authority that somebody has put back is being taken out: nothing issues from it, and whoever trusts
      // no more than has to be trusted is not told to trust it again.
      if generation == .old, rotation.takesRetiredOut(cluster) { continue }
      authorities.append(trusted)
    }
    self.init(
      component: component, rotation: rotation.id, phase: phase,
      isGoingBack: stage?.direction == .backward,
      authorities: authorities.filter(\.isIssuing) + authorities.filter { !$0.isIssuing })
  }

  /// What a machine may issue from at some moment of the stage: what it does before its turn, and after it.
  private static func issuing(
    _ component: SecretComponent, _ phase: RotationPhase?
  ) -> Set<AuthorityGeneration> {
    guard let phase else { return [.old] }
    return Set(
      RotationDirection.allCases.map {
        TrustPlan.bundle(component, phase, .controlPlane, $0).issuing
      })
  }

  /// The certificates one after another, in PEM.
  public var pem: String {
    authorities.map { authority in
      authority.certificatePEM.hasSuffix("\n")
        ? authority.certificatePEM : authority.certificatePEM + "\n"
    }.joined()
  }
}

/// One authority that has to be trusted; its key is not here, not even sealed.
public struct TrustedAuthority: Sendable, Hashable {
  public var certificatePEM: String
  /// Lower-case hexadecimal SHA-256 of the certificate's DER.
  public var fingerprint: String
  /// Which of the two of a rotation; nil where no rotation of the component is under way.
  public var generation: AuthorityGeneration?
  /// Whether a machine may issue from it now, and so present certificates that it has signed.
  public var isIssuing: Bool

  public init(
    certificatePEM: String, fingerprint: String, generation: AuthorityGeneration?, isIssuing: Bool
  ) {
    self.certificatePEM = certificatePEM
    self.fingerprint = fingerprint
    self.generation = generation
    self.isIssuing = isIssuing
  }

  init(_ authority: SealedAuthority, _ generation: AuthorityGeneration?, isIssuing: Bool) {
    self.init(
      certificatePEM: authority.certificatePEM, fingerprint: authority.fingerprint,
      generation: generation, isIssuing: isIssuing)
  }
}

extension RotationRecord {
  /// Whether the rotation was taken over in POST_ROTATE from a record that has the new authority already.
  fileprivate func takesRetiredOut(_ cluster: ClusterRecord) -> Bool {
    isAdopted && state.stage?.phase == .postRotate && state.stage?.direction == .forward
      && cluster.authorities[component]?.fingerprint == new.fingerprint
  }
}
