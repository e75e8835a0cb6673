/// Changes that are tried before they are permanent (`RotationOptions.tryTimeout`).
extension RotationMachine {
  /// Whether all is verified but that the change is only being tried.
  static func wantsPersisting(_ results: [CheckResult]) -> Bool {
    let open = results.filter { !$0.isSettled }
    return !open.isEmpty && open.allSatisfy { $0.isNamed(.configPersisted) && $0.state == .waiting }
  }

  /// What the machine tried is permanent now. It is looked at once more, which shows it.
  public mutating func changePersisted(_ id: String, at now: Instant) -> [Effect] {
    withMachine(id, at: now) { progress, _ in
      guard case .persisting(let effort) = progress.state else { return nil }
      progress.state = .verifying(effort)
      return [.verify(id, after: .zero)]
    }
  }

  /// What the machine tries could not be made permanent; its trial may be over. It is looked at again, and the look says
  /// what comes next.
  public mutating func persistFailed(
    on id: String, _ error: String, check: CheckResult, at now: Instant
  ) -> [Effect] {
    withMachine(id, at: now) { progress, rules in
      guard case .persisting(var effort) = progress.state else { return nil }
      let delay = effort.failed(error, checks: [check], at: now, backoff: rules.backoff)
      progress.state = .verifying(effort)
      return [.verify(id, after: delay)]
    }
  }
}
