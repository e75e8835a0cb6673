import Orchestrator
import Rotation

/// `kubelet-old-refused`: whether a kubelet turns clients of a dropped authority away.
extension TalosDriver {
  /// The kubelet's API, where it can be reached: a client of the dropped authority has to get 401
  /// there too. Its serving certificate is its own, signed by nobody, so it is not verified; nothing
  /// is sent but the certificate.
  func probeKubelet(
    _ change: TrustChange, _ machine: Machine, _ access: ClusterAccess
  ) async -> CheckResult {
    let name = CheckName.kubeletOldRefused
    guard let port = settings.kubeletPort else {
      return CheckResult(name, .notApplicable, "kubelets are not probed")
    }
    let accepted = change.bundle(for: machine.role).issuing
    let dropped: AuthorityGeneration = accepted == .new ? .old : .new
    if let unasked = await unasked(name, change.authority(dropped), by: machine, access) {
      return unasked
    }
    let control = await ask(
      machine, port, "/healthz", as: change.authority(accepted), trusting: [],
      timeout: settings.probeTimeout)
    guard case .status(let code, _) = control else {
      return CheckResult(
        name, .notApplicable, "the kubelet's port cannot be asked directly: \(control.summary)")
    }
    let answer = await ask(
      machine, port, "/healthz", as: change.authority(dropped), trusting: [],
      timeout: settings.probeTimeout)
    return Self.kubeletRefusal(control: code, dropped: answer)
  }

  /// - Parameter control: the status that a client of the accepted authority has got.
  static func kubeletRefusal(control: Int, dropped: KubernetesAnswer) -> CheckResult {
    guard control == 401 else {
      return refusal(.kubeletOldRefused, dropped, control: .status(200, []))
    }
    // A kubelet that still runs with the old CA alone turns the new client away.
    if case .status(401, _) = dropped {
      return CheckResult(
        .kubeletOldRefused, .notApplicable, "the kubelet lets no client certificate in")
    }
    return CheckResult(
      .kubeletOldRefused, .waiting,
      "the kubelet refuses a client of the CA that issues, and gives one of the dropped CA \(dropped.summary)"
    )
  }
}
