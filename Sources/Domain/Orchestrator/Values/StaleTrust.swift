public import Rotation

/// Who goes on, after a rotation, with what it has retired: processes that have read the old root, and clients of the Talos
/// API whose certificates are of the old CA. They work no more, or stop working when they connect anew, until they are
/// restarted.
public struct StaleTrust: Sendable, Hashable {
  public var component: SecretComponent
  /// The rotation that has retired it.
  public var rotation: String
  /// When the rotation was over: whoever has started since has the new CA.
  public var changedBy: Instant
  /// Nil as long as nobody has counted.
  public var count: StaleTrustCount?
  /// When the count was taken that is shown: the first one of that outcome.
  public var countedAt: Instant?

  public init(
    component: SecretComponent, rotation: String, changedBy: Instant,
    count: StaleTrustCount? = nil, countedAt: Instant? = nil
  ) {
    self.component = component
    self.rotation = rotation
    self.changedBy = changedBy
    self.count = count
    self.countedAt = countedAt
  }

  /// What it means, in a line.
  public var explanation: String {
    guard let count else {
      return "who goes on with the retired \(component.rawValue) has not been counted yet"
    }
    guard count.total > 0 else {
      return "nobody is known that goes on with the retired \(component.rawValue)"
    }
    let number = count.total == 1 ? "1 pod or Secret" : "\(count.total) pods or Secrets"
    return switch component {
    case .kubernetesCA:
      "\(number) began with the retired kubernetes-ca: a program that reads its root certificate once, at its start, "
        + "fails when it connects anew, until it is restarted"
    case .talosCA:
      "\(number) hold Talos API access of the retired talos-ca: their calls are refused until they are restarted"
    }
  }

  /// Whether nobody is left.
  public var isSettled: Bool { count?.total == 0 }
}

/// What a count has found.
public struct StaleTrustCount: Sendable, Hashable {
  /// How many pods and Secrets there are in all.
  public var total: Int
  /// Those of the system first; of many the first `limit`.
  public var holders: [StaleHolder]

  public static let limit = 64

  /// Puts the holders into their order, and leaves those out that are beyond the limit.
  public init(_ holders: [StaleHolder]) {
    total = holders.reduce(0) { $0 + $1.count }
    self.holders = Array(holders.sorted(by: StaleHolder.precedes).prefix(Self.limit))
  }

  /// The holders together with those that another count has left out.
  public init(_ holders: [StaleHolder], beyond other: StaleTrustCount) {
    self.init(holders)
    total += other.total - other.holders.reduce(0) { $0 + $1.count }
  }

  /// As it was stored.
  public init(total: Int, holders: [StaleHolder]) {
    self.total = total
    self.holders = holders
  }
}

/// Pods of one owner, or a Secret.
public struct StaleHolder: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Pods that have read `kube-root-ca.crt` before it changed.
    case rootCertificate = "kube-root-ca"
    /// A Secret of Talos API access whose talosconfig is of another CA.
    case talosSecret = "talos-secret"
    /// Pods that have read such a Secret before it changed.
    case talosClient = "talos-client"
  }

  public var kind: Kind
  public var namespace: String
  /// What a person restarts, as kubectl has it: `deployment/coredns`.
  public var owner: String
  /// How many pods, or one Secret.
  public var count: Int

  public init(_ kind: Kind, namespace: String, owner: String, count: Int = 1) {
    self.kind = kind
    self.namespace = namespace
    self.owner = owner
    self.count = count
  }

  private var isOfSystem: Bool { namespace.hasPrefix("kube-") }

  static func precedes(_ a: Self, _ b: Self) -> Bool {
    (a.isOfSystem ? 0 : 1, a.namespace, a.owner, a.kind.rawValue)
      < (b.isOfSystem ? 0 : 1, b.namespace, b.owner, b.kind.rawValue)
  }

  /// What a person does about it.
  public var remedy: String {
    switch kind {
    case .talosSecret:
      "Talos writes Secret \(owner.split(separator: "/").last ?? "") anew by itself: see the events of its ServiceAccount "
        + "(kubectl -n \(namespace) describe serviceaccounts.talos.dev)"
    case .rootCertificate, .talosClient:
      ["deployment/", "daemonset/", "statefulset/"].contains { owner.hasPrefix($0) }
        ? "kubectl -n \(namespace) rollout restart \(owner)"
        : "kubectl -n \(namespace) delete \(owner)"
    }
  }
}

extension ClusterRecord {
  /// Begins to count who goes on with what the rotation has retired.
  ///
  /// - Parameter count: what was counted just before its end; nil where that could not be.
  mutating func beginStaleTrust(after rotation: RotationRecord, count: StaleTrustCount?) {
    staleTrust.removeAll { $0.component == rotation.component }
    guard authorities[.kubernetesCA] != nil else { return }
    staleTrust.append(
      StaleTrust(
        component: rotation.component, rotation: rotation.id, changedBy: rotation.updatedAt,
        count: count, countedAt: count == nil ? nil : rotation.updatedAt))
    staleTrust.sort { $0.component.rawValue < $1.component.rawValue }
  }
}
