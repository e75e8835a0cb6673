import Crypto
import Rotation

/// What one machine shows of its Talos CA.
struct TalosObservation: Sendable {
  /// Its configurations; they hold keys.
  var configs: MachineConfigs
  /// The issuing authority in force; nil on workers.
  var issuing: Certificate?
  /// What a control plane's root secrets accept, which trustd hands on to workers; nil on workers.
  var rootAccepted: SeenTrust?
  /// What apid serves and accepts; nil while it has no certificate.
  var api: ServedTrust?
  /// The same of trustd, on control planes.
  var trustd: ServedTrust?

  /// A server certificate and a list of accepted authorities, as they are in use.
  struct ServedTrust: Sendable {
    var server: [Certificate]
    var accepted: SeenTrust
  }

  /// What the stage asks of the machine, answered from what it shows.
  ///
  /// - Parameter listed: the authorities in its configuration; nil where they cannot be read.
  func checks(
    _ trust: ChangeTrust, _ role: MachineRole, listed: [Certificate]? = nil
  ) -> [CheckResult] {
    var results: [CheckResult] = []
    if role == .controlPlane {
      results.append(trust.issuingCheck(.issuing, issuing))
      results.append(trust.acceptedCheck(.rootAccepted, rootAccepted))
      if let trustd {
        results.append(trust.acceptedCheck(.trustdAccepted, trustd.accepted))
        results.append(
          trust.leafCheck(.trustdLeaf, trustd.server, purpose: .server))
      } else {
        results.append(CheckResult(.trustdAccepted, .notApplicable, "trustd is not shown"))
      }
    } else {
      results.append(CheckResult(.issuing, .notApplicable, "workers issue nothing"))
    }
    results.append(
      trust.acceptedCheck(.accepted, api?.accepted, listed: role == .worker ? listed : nil))
    results.append(trust.leafCheck(.serverLeaf, api?.server ?? [], purpose: .server))
    return results
  }

  /// Whether apid serves and accepts something else than the stage asks for.
  func isStale(_ trust: ChangeTrust) -> Bool {
    trust.acceptedCheck(.accepted, api?.accepted).state != .passed
      || trust.leafCheck(.serverLeaf, api?.server ?? [], purpose: .server).state
        != .passed
  }
}
