import Crypto
import Rotation

/// What one machine shows of its Kubernetes CA.
struct KubernetesObservation: Sendable {
  /// Its configurations; they hold keys.
  var configs: MachineConfigs
  /// Control planes: the authorities in force.
  var issuing: Certificate?
  var rootAccepted: SeenTrust?
  /// What the kubelet trusts.
  var kubeletAccepted: SeenTrust?
  /// When that last changed, by the machine's clock.
  var kubeletSecretsUpdated: Instant?
  var kubelet: Service?
  /// The kubelet's own client certificate, without its key; empty while it has none.
  var kubeletClient: [Certificate] = []
  var nodename: String?
  /// What Talos says of a control plane's static pods; nil on workers.
  var staticPods: StaticPodSecrets?

  struct Service: Sendable {
    var running: Bool
    var healthy: Bool
    /// The service has no health check, or it has not run yet.
    var unknown: Bool
    /// When the service last started, stopped or changed its health, by the machine's clock.
    var updated: Instant?
  }

  /// - Parameters:
  ///   - isExcused: whether the kubelet did not run before the rotation, and is not waited for.
  ///   - lockout: why the kubelet's certificate is accepted by nobody until the next stage; nil where it has to be.
  func checks(
    _ trust: ChangeTrust, _ machine: Machine, isExcused: Bool, lockout: String? = nil,
    _ freshness: Freshness
  ) -> [CheckResult] {
    var results: [CheckResult] = []
    if machine.role == .controlPlane {
      results.append(trust.issuingCheck(.issuing, issuing))
      results.append(trust.acceptedCheck(.apiServerAccepted, rootAccepted))
    } else {
      results.append(CheckResult(.issuing, .notApplicable, "workers issue nothing"))
    }
    results.append(trust.acceptedCheck(.accepted, kubeletAccepted))
    results.append(kubeletCheck(machine, isExcused: isExcused, freshness))
    guard !isExcused else { return results }
    results.append(
      lockout.map { CheckResult(.kubeletClient, .notApplicable, $0) }
        ?? trust.chainCheck(
          .kubeletClient, kubeletClient, roots: trust.accepted, purpose: .client))
    return results
  }
}
