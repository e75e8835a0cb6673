import Orchestrator
import Rotation

/// `config-applied`, `config-editable`: what a configuration is, measured by what the stage asks for.
extension TalosDriver {
  /// What a configuration is, measured by what the stage asks for.
  func configStanding(
    _ config: [UInt8], _ wanted: WantedTrust, _ machine: Machine
  ) async -> (check: CheckResult, isRepeated: Bool) {
    do throws(TalosFailure) {
      guard try await edit(config, wanted, machine).changed else {
        return (CheckResult(.configApplied, .passed, "holds what the stage asks for"), false)
      }
      if wanted.component == .talosCA, machine.role == .worker,
        try await !edit(config, wanted.repeated, machine).changed
      {
        let text = "holds it, with the issuing CA repeated for a refresh"
        return (CheckResult(.configApplied, .passed, text), true)
      }
      return (CheckResult(.configApplied, .failed, await wanted.difference(from: config)), false)
    } catch {
      // Making the same change again would not help.
      return (CheckResult(.configEditable, .failed, error.message), false)
    }
  }

  /// The authorities that stand in a configuration; nil where it cannot be read.
  @concurrent
  func configured(_ config: [UInt8], _ component: SecretComponent) async -> SeenTrust? {
    (try? MachineConfig(config).trust(component)).map {
      SeenTrust($0.written, unreadable: $0.unreadable)
    }
  }
}
