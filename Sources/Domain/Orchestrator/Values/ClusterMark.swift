public import Rotation

/// Why a rotation is started, as far as it decides what has to be rotated.
public enum RotationCause: String, Sendable, Hashable, CaseIterable {
  /// Somebody else may have a talosconfig. With role `os:admin` it reads the keys of both authorities out of a control
  /// plane's configuration.
  case leakedTalosconfig = "leaked-talosconfig"
  /// Somebody else may have a kubeconfig.
  case leakedKubeconfig = "leaked-kubeconfig"
  /// Somebody else may have the secrets bundle or a control plane's configuration.
  case leakedSecrets = "leaked-secrets"
  /// The keys were elsewhere before the cluster was imported.
  case imported
  /// An authority will expire.
  case expiring
  /// Nothing has happened.
  case routine

  /// What has to be rotated before the cause is dealt with; nil: whatever is asked for.
  public var needs: Set<SecretComponent>? {
    switch self {
    case .leakedTalosconfig, .leakedSecrets, .imported: Set(SecretComponent.allCases)
    case .leakedKubeconfig: [.kubernetesCA]
    case .expiring, .routine: nil
    }
  }
}

extension RotationCause {
  /// What has to be rotated beside what is asked for, before the cause is dealt with.
  func remaining(beside component: SecretComponent, of cluster: ClusterRecord) -> [String] {
    guard let needs else { return [] }
    let rest = SecretComponent.allCases.filter {
      needs.contains($0) && $0 != component && cluster.authorities[$0] != nil
    }
    return rest.map {
      "\(rawValue) is dealt with only when the \($0.rawValue) has been rotated too"
    }
  }
}

/// Something about a cluster that stays on record until it is dealt with.
public struct ClusterMark: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The keys of both authorities were elsewhere before the cluster was imported.
    case importing = "tainted-by-importing"
    /// A credential for emergencies was handed out, which lives for long and outside of anybody's sight.
    case breakGlass = "tainted-by-break-glass"
    case leakedTalosconfig = "leaked-talosconfig"
    case leakedKubeconfig = "leaked-kubeconfig"
    case leakedSecrets = "leaked-secrets"
    /// A component cannot be told apart: machines issue from several authorities, and nobody knows which was wanted.
    case unclear = "unclear-ca"
  }

  public var kind: Kind
  /// A rotation that began before does not deal with it.
  public var since: Instant
  /// What has to be rotated yet; of `.unclear` what is not rotated before it is clear.
  public var pending: Set<SecretComponent>

  public init(_ kind: Kind, since: Instant, pending: Set<SecretComponent>) {
    self.kind = kind
    self.since = since
    self.pending = pending
  }

  /// Whether something is left that no rotation deals with.
  var outlivesRotations: Bool { kind == .leakedSecrets }

  /// What it means and what to do, in a line.
  public func explanation(cluster: String) -> String {
    let rest = SecretComponent.allCases.filter(pending.contains).map(\.rawValue)
      .joined(separator: " and ")
    let command = "omnictl cluster -n \(cluster) secret rotate"
    let rotate = rest.isEmpty ? "" : "rotate \(rest) (\(command) …)"
    switch kind {
    case .importing:
      return "its CA keys were elsewhere before it was imported: \(rotate)"
    case .breakGlass:
      return
        "a credential for emergencies was handed out, which is good until it expires: \(rotate)"
    case .leakedTalosconfig:
      return "a talosconfig has leaked, and with os:admin the keys of both CAs may have: \(rotate)"
    case .leakedKubeconfig:
      return "a kubeconfig has leaked: \(rotate)"
    case .unclear:
      return
        "it cannot be told which \(rest) its machines are to have, so that it is left alone: \(command) adopt "
        + "--dry-run says why and what to do, and adopt takes the mark off when that is done"
    case .leakedSecrets:
      let others =
        "the secrets hold more that no rotation of a CA revokes: etcd's and the aggregator's CA, the "
        + "service-account key, bootstrap, trustd and discovery tokens, encryption keys"
      guard rest.isEmpty else { return "secrets have leaked: \(rotate); \(others)" }
      return
        "\(others): replace these, then omnictl cluster -n \(cluster) mark clear \(kind.rawValue)"
    }
  }
}

extension [ClusterMark] {
  /// Marks the cluster from now on. A mark of the kind stays as it is where the rotation that is started is one that it
  /// waits for, because whoever rotates both authorities for one leak says so twice; else it begins anew.
  ///
  /// - Parameters:
  ///   - components: those that the cluster has.
  ///   - component: what the rotation that is started rotates; nil: none is.
  mutating func add(
    _ kind: ClusterMark.Kind, at now: Instant, of components: Set<SecretComponent>,
    rotating component: SecretComponent? = nil
  ) {
    if let component, let known = first(where: { $0.kind == kind }),
      known.pending.contains(component)
    {
      return
    }
    let cause = RotationCause(rawValue: kind.rawValue) ?? .imported
    removeAll { $0.kind == kind }
    append(
      ClusterMark(
        kind, since: now, pending: (cause.needs ?? []).intersection(components)))
  }

  /// What a look at all machines has shown of the components: those in `unclear` cannot be told apart, all others can.
  mutating func setUnclear(_ unclear: Set<SecretComponent>, at now: Instant) {
    guard unclear != unclearComponents else { return }
    let since = first { $0.kind == .unclear }?.since ?? now
    removeAll { $0.kind == .unclear }
    if !unclear.isEmpty { append(ClusterMark(.unclear, since: since, pending: unclear)) }
  }

  /// What cannot be told apart.
  var unclearComponents: Set<SecretComponent> {
    first { $0.kind == .unclear }?.pending ?? []
  }

  /// A rotation of the component, begun then, has succeeded.
  mutating func rotated(_ component: SecretComponent, begunAt: Instant) {
    self = compactMap { mark in
      guard mark.since <= begunAt else { return mark }
      var mark = mark
      mark.pending.remove(component)
      return mark.pending.isEmpty && !mark.outlivesRotations ? nil : mark
    }
  }
}
