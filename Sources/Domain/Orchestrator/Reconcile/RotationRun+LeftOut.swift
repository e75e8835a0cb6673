import Rotation

extension RotationRun {
  /// Reads what earlier rotations have retired, where the effect looks for machines that a person has said to be gone.
  ///
  /// - Returns: what becomes of the effect instead where that cannot be read; nil: it is carried out.
  func lackOfHistory(_ effect: RotationMachine.Effect) async -> EffectOutcome? {
    guard retired == nil, effect.looksForLeftOut, !rotation.options.leftOut.isEmpty else {
      return nil
    }
    do throws(StoreError) { retired = try await journal.retired(of: cluster) } catch {
      return effect.lacksHistory(error)
    }
    return nil
  }
}

extension RotationMachine.Effect {
  /// Whether machines that a person has said to be gone are looked for before they are left out.
  fileprivate var looksForLeftOut: Bool {
    switch self {
    case .listMembers, .verifyCluster: true
    case .attempt, .prepare, .apply, .verify, .refreshTrust, .persist,
      .renewExtensionAuthentication, .askHooks:
      false
    }
  }

  /// What becomes of an effect that looks for such machines while it cannot be read by which retired authorities they may
  /// live: nobody is left out meanwhile.
  fileprivate func lacksHistory(_ error: StoreError) -> EffectOutcome {
    let text =
      "the history of the cluster, which tells by which retired CAs a machine that was left out may live, cannot be "
      + "read: \(error.message)"
    if case .verifyCluster = self {
      return .clusterChecked(ClusterReport(cluster: [CheckResult(.coverage, .failed, text)]))
    }
    return .membersFailed(DriverError(.internalError, text), unreachable: nil)
  }
}
