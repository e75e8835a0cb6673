import Crypto
import Rotation

/// What one machine shows of its Kubernetes CA.
struct KubernetesObservation: Sendable {
  var version: String
  var config: [UInt8]
  /// Control planes: the authorities in force.
  var issuing: Certificate?
  var rootAccepted: [Certificate]?
  /// What the kubelet trusts.
  var kubeletAccepted: [Certificate]?
  var kubelet: Service?
  /// The kubelet's own client certificate, without its key; empty while it has none.
  var kubeletClient: [Certificate] = []
  var nodename: String?

  struct Service: Sendable {
    var running: Bool
    var healthy: Bool
    /// The service has no health check, or it has not run yet.
    var unknown: Bool
  }

  func checks(_ trust: ChangeTrust, _ role: MachineRole) -> [CheckResult] {
    var results: [CheckResult] = []
    if role == .controlPlane {
      results.append(trust.issuingCheck("issuing", issuing))
      results.append(trust.acceptedCheck("api-server-accepted", rootAccepted))
    } else {
      results.append(CheckResult("issuing", .notApplicable, "workers issue nothing"))
    }
    results.append(trust.acceptedCheck("accepted", kubeletAccepted))
    results.append(kubeletCheck)
    results.append(
      trust.chainCheck(
        "kubelet-client", kubeletClient, roots: trust.accepted, purpose: .client))
    return results
  }

  private var kubeletCheck: CheckResult {
    guard let kubelet else { return CheckResult("kubelet", .waiting, "the kubelet is not there") }
    guard kubelet.running else { return CheckResult("kubelet", .waiting, "the kubelet restarts") }
    guard kubelet.healthy else {
      return CheckResult(
        "kubelet", .waiting, kubelet.unknown ? "health not known yet" : "the kubelet is unhealthy")
    }
    return CheckResult("kubelet", .passed, "running and healthy")
  }
}
