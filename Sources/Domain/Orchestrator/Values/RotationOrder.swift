import Rotation

/// A rotation that somebody asks for.
struct RotationOrder {
  var component: SecretComponent
  var options: RotationOptions
  var requestID: String
  var reason: String
  var cause: RotationCause?
  var requester: String
  /// The identifier of the call that asks, for the log.
  var call: String
}

/// Where a rotation of the component is under way already.
extension RotationOrder {
  /// The mark that the cluster gets: whoever has the credential that has leaked may have read the new authority's key by
  /// now, so the rotation that runs does not deal with it. Nil where it was started for the same leak, or the mark is there.
  func mark(of cluster: ClusterRecord, beside rotation: RotationRecord) -> ClusterMark.Kind? {
    guard isAnother(than: rotation),
      let kind = cause.flatMap({ ClusterMark.Kind(rawValue: $0.rawValue) }),
      !cluster.marks.contains(where: { $0.kind == kind && $0.since > rotation.startedAt })
    else { return nil }
    return kind
  }

  /// What to tell whoever asks.
  func notes(beside rotation: RotationRecord) -> [String] {
    var notes: [String] = []
    if isAnother(than: rotation) {
      notes.append(
        "the rotation that runs began before this was known, and does not deal with it: rotate again when it is over"
      )
    }
    let unheeded = unheeded(by: rotation.options)
    if !unheeded.isEmpty {
      notes.append(
        "\(unheeded.joined(separator: ", ")): decided when a rotation begins, so the one that runs goes on without"
      )
    }
    return notes
  }

  /// Whether this tells of a leak that the rotation was not started for. The same words again are the same leak, and so
  /// are none.
  private func isAnother(than rotation: RotationRecord) -> Bool {
    guard let cause, ClusterMark.Kind(rawValue: cause.rawValue) != nil else { return false }
    return cause != rotation.cause || (!reason.isEmpty && reason != rotation.reason)
  }

  private func unheeded(by options: RotationOptions) -> [String] {
    [
      ("--soak", self.options.soak != nil && self.options.soak != options.soak),
      ("--try", self.options.tryTimeout != nil && self.options.tryTimeout != options.tryTimeout),
      (
        "--max-parallel-workers",
        self.options.workerLimit != nil && self.options.workerLimit != options.workerLimit
      ),
      ("--allow-unready", self.options.allowUnready && !options.allowUnready),
    ].filter(\.1).map(\.0)
  }
}
