import Crypto
import Orchestrator
import Rotation

/// A whole rotation of one machine's configuration in memory, before the first edit is sent.
///
/// An edit that the text's layout does not allow may come only in a later stage: an anchor that another
/// field shares stands in the way in ROTATE, when PRE-ROTATE has long been made on every machine. So all
/// edits are made here first, each on the result of the one before.
enum ConfigRehearsal {
  /// One component's rotation.
  struct Change {
    var component: SecretComponent
    var old: Certificate
    var new: Certificate
    /// The PEM of the new authority's key; it goes nowhere but into the result.
    var newKey: SecretBytes

    /// A change to an authority that is made for the rehearsal and thrown away, for when the real one
    /// does not exist yet.
    ///
    /// - Parameter now: Unix seconds.
    static func standIn(
      _ component: SecretComponent, old: Certificate, now: Int64
    ) throws(CryptoError) -> Change {
      let new = try Authority.generate(component == .talosCA ? .talos : .kubernetes, now: now)
      return Change(
        component: component, old: old, new: new.certificate, newKey: new.key.secretPEM)
    }

    /// What a machine is to hold after a stage.
    func wanted(
      _ phase: RotationPhase, _ role: MachineRole, removesForeign: Bool
    ) -> WantedTrust {
      let bundle = TrustPlan.bundle(component, phase, role)
      func certificate(_ generation: AuthorityGeneration) -> Certificate {
        generation == .old ? old : new
      }
      return WantedTrust(
        component: component, issuing: certificate(bundle.issuing),
        issuingKey: bundle.holdsIssuingKey && bundle.issuing == .new ? newKey : nil,
        accepted: bundle.accepted.map(certificate), managed: [old, new],
        removesForeign: removesForeign, successor: bundle.issuing == .old ? new : nil)
    }
  }

  /// Makes every edit of every component, forward: PRE-ROTATE, ROTATE, POST-ROTATE.
  ///
  /// - Returns: the configuration as the rotation would leave it.
  /// - Throws: what ``MachineConfigEditor/apply(_:to:)`` throws, the stage named: the field, its line and
  ///   column in `bytes`, and the cure. `.conflict` if the
  ///   configuration is of another role.
  @discardableResult
  static func run(
    _ bytes: [UInt8], role: MachineRole, _ changes: [Change], removesForeign: Bool = false
  ) throws(DriverError) -> [UInt8] {
    let found = try MachineConfig(bytes).role
    guard found == role else {
      throw DriverError(
        .conflict, "it is a \(found.rawValue) by its configuration, not a \(role.rawValue)")
    }
    let original = bytes
    var bytes = bytes
    for change in changes {
      for phase in RotationPhase.allCases {
        let wanted = change.wanted(phase, role, removesForeign: removesForeign)
        do throws(DriverError) {
          bytes = try MachineConfigEditor.apply(wanted, to: bytes, namingPlacesOf: original).bytes
        } catch {
          throw DriverError(error.code, "in \(phase.name): \(error.message)")
        }
      }
    }
    return bytes
  }
}

extension RotationPhase {
  fileprivate var name: String {
    switch self {
    case .preRotate: "PRE-ROTATE"
    case .rotate: "ROTATE"
    case .postRotate: "POST-ROTATE"
    }
  }
}
