import Rotation

/// What is lost with a cluster that is forgotten by force.
enum Losses {
  /// A line for each thing that cannot be had again, none with key material.
  static func lines(_ cluster: ClusterRecord, _ rotation: RotationRecord?) -> [String] {
    var lines: [String] = []
    if let rotation { lines += of(rotation) }
    for component in SecretComponent.allCases {
      guard let authority = cluster.authorities[component] else { continue }
      lines.append(
        "omnid's copy of the key of \(component.rawValue) \(authority.fingerprint.prefix(12)): the "
          + "control planes' configurations hold it too")
    }
    if cluster.rotationCount > 0 {
      let rotations =
        cluster.rotationCount == 1 ? "1 rotation" : "\(cluster.rotationCount) rotations"
      lines.append("the history of \(rotations), and the old CAs with it")
    }
    return lines
  }

  private static func of(_ rotation: RotationRecord) -> [String] {
    guard let stage = rotation.state.stage else { return [] }
    let touched = stage.machines.filter(\.mayHoldChange).map(\.machine.id)
    guard !touched.isEmpty else { return [] }
    let new = rotation.new.fingerprint.prefix(12)
    let onlyCopy =
      stage.phase == .preRotate
      ? "the only copy of its key is lost, so nothing will ever be issued from it: take it out of their "
        + "configurations"
      : "control planes that have been changed hold its key; the machines that have not are to be "
        + "brought to it, or all of them back"
    return [
      "the rotation of \(rotation.component.rawValue) stands still in \(stage.phase.name): "
        + "\(touched.abbreviated) may hold the new CA \(new); \(onlyCopy)"
    ]
  }
}
