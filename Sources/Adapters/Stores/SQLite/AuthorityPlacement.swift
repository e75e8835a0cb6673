import Orchestrator
import Rotation

/// Whether every authority of the journal stands where its key was sealed for.
///
/// The seal of a key opens nowhere else, so this finds at the start what would be found when the key is
/// needed.
struct AuthorityPlacement {
  let clusters: [ClusterRecord]
  private let rotations: [String: RotationRecord]

  init(clusters: [ClusterRecord], rotations: [RotationRecord]) {
    self.clusters = clusters
    self.rotations = Dictionary(rotations.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
  }

  /// The newest rotation of each cluster, in the order of the clusters' names.
  var newest: [RotationRecord] {
    var newest: [String: RotationRecord] = [:]
    for rotation in rotations.values
    where newest[rotation.cluster].map({ $0.ordinal < rotation.ordinal }) ?? true {
      newest[rotation.cluster] = rotation
    }
    return newest.values.sorted { $0.cluster < $1.cluster }
  }

  /// What is in the wrong place, in words; nil when nothing is.
  var problem: String? {
    for cluster in clusters {
      let row = RowName(.clusters, cluster: cluster.name).description
      for (component, authority) in cluster.authorities.sorted(by: {
        $0.key.rawValue < $1.key.rawValue
      }) {
        if let problem = misfit(authority, cluster.name, component) {
          return "\(row): its \(component.rawValue) \(problem)"
        }
      }
      for (component, authority) in cluster.predecessors {
        if let problem = misfit(authority, cluster.name, component) {
          return "\(row): the \(component.rawValue) that was replaced \(problem)"
        }
      }
    }
    for rotation in rotations.values.sorted(by: { $0.ordinal < $1.ordinal }) {
      let row = RowName(.rotations, cluster: rotation.cluster, id: rotation.id).description
      if let problem = misfit(rotation.old, rotation.cluster, rotation.component) {
        return "\(row): the CA that it replaces \(problem)"
      }
      if let problem = misfit(rotation.new, rotation.cluster, rotation.component) {
        return "\(row): its new CA \(problem)"
      }
      guard rotation.new.binding.rotation == rotation.id else {
        return "\(row): its new CA was made by another rotation"
      }
    }
    for cluster in clusters {
      guard let id = cluster.activeRotation, let rotation = rotations[id] else { continue }
      let current = cluster.authorities[rotation.component]
      // One that was taken over may have had the new CA on record before.
      guard rotation.cluster == cluster.name,
        current == rotation.old || (rotation.isAdopted && current == rotation.new)
      else {
        let row = RowName(.rotations, cluster: rotation.cluster, id: id).description
        return "\(row): it replaces another CA than the one that cluster '\(cluster.name)' has"
      }
    }
    return nil
  }

  /// Why an authority may not stand there; nil when it may.
  private func misfit(
    _ authority: SealedAuthority, _ cluster: String, _ component: SecretComponent
  ) -> String? {
    let binding = authority.binding
    if binding.cluster != cluster { return "is one of cluster '\(binding.cluster)'" }
    if binding.component != component { return "is a \(binding.component.rawValue)" }
    if let maker = rotations[binding.rotation], maker.new != authority {
      return "is not the one that rotation '\(maker.id)' made"
    }
    return nil
  }
}
