import Rotation

/// What there is to watch while some checks are open.
struct WatchPlan: Sendable {
  var targets: [WatchTarget] = []
  /// Whether nothing else is waited for than what is watched.
  var isComplete = false

  /// - Parameters:
  ///   - open: the names of the open checks.
  ///   - hasRead: whether the machine itself has been read. Where it has not been, a handshake or Kubernetes was asked
  ///     whether that is worth it already.
  init(_ component: SecretComponent, open: [String], hasRead: Bool) {
    let names = Set(open.compactMap(CheckName.init(rawValue:)))
    switch component {
    case .talosCA:
      // Nearly every one of them is about what apid acts on.
      targets = [.apiCertificates]
      if !names.isDisjoint(with: [.trustdAccepted, .trustdLeaf]) {
        targets.append(.trustdCertificates)
      }
    case .kubernetesCA:
      // What Kubernetes is asked for, Talos does not show.
      guard hasRead else { return }
      if !names.isDisjoint(with: [.kubelet, .kubeletClient]) { targets.append(.kubelet) }
      if names.contains(.staticPods) { targets += [.staticPodSecrets, .staticPods] }
      // A kubelet has its certificate before it is well.
      isComplete = names.contains(.kubelet) && names.isSubset(of: [.kubelet, .kubeletClient])
    }
  }

  /// The plan where no more is watched than the types of another one.
  func limited(to opened: WatchPlan) -> WatchPlan {
    let types = Set(opened.targets.map(\.type))
    guard targets.allSatisfy({ types.contains($0.type) }) else { return WatchPlan() }
    return self
  }

  private init() {}
}
