import Crypto
import Orchestrator
import Rotation

/// `api-server-leaf`, `-ready`, `-accepts-new`, `-accepts-old` and `old-refused`: what an API server serves, and whom it
/// lets in.
extension TalosDriver {
  /// What an API server serves and whom it lets in.
  ///
  /// - Parameters:
  ///   - isExcused: whether it did not run before the rotation, nor at any look since, and need not be there.
  ///   - mayBeUnwell: whether it was not ready before the rotation, nor at any look since, and need not be. Whom it lets in
  ///     is asked all the same, and an error counts as an answer to a client that it knows.
  func probeAPIServer(
    _ change: TrustChange, _ trust: ChangeTrust, _ machine: Machine, _ access: ClusterAccess,
    isExcused: Bool, mayBeUnwell: Bool
  ) async -> [CheckResult] {
    var results: [CheckResult] = []
    let port = await apiServerPort(machine, access)
    let (newest, other) = (trust.newest, trust.other)
    let unasked =
      trust.dropped.isEmpty
      ? unasked(.apiServerAcceptsOld, other)
      : await unasked(.oldRefused, other, by: machine, access)
    async let first = askNodes(machine, port, as: newest, trust)
    async let second =
      trust.accepted.count > 1 && unasked == nil
      ? askNodes(machine, port, as: other, trust) : nil
    let ready = await askReadiness(change, trust, machine, access)
    if case .unreachable = ready, isExcused {
      return [
        CheckResult(
          .apiServerReady, .notApplicable,
          "did not run before the rotation and does not now; not waited for")
      ]
    }
    let isUnwell = ready.isError && mayBeUnwell
    results += readiness(ready, trust, isUnwell: isUnwell)
    let control = await first
    results.append(acceptance(.apiServerAcceptsNew, control, newest, change, isUnwell: isUnwell))
    if let answer = await second {
      results.append(acceptance(.apiServerAcceptsOld, answer, other, change, isUnwell: isUnwell))
    }
    if let unasked { return results + [unasked] }
    if !trust.dropped.isEmpty {
      let answer = await askNodes(machine, port, as: other, trust)
      results.append(Self.refusal(.oldRefused, answer, control: control, isUnwell: isUnwell))
    }
    return results
  }

  /// Trusting the issuing authority alone proves the leaf; readiness comes with it.
  func askReadiness(
    _ change: TrustChange, _ trust: ChangeTrust, _ machine: Machine, _ access: ClusterAccess
  ) async -> KubernetesAnswer {
    let answer = await ask(
      machine, await apiServerPort(machine, access), "/readyz", as: trust.newest,
      trusting: [trust.issuing])
    if case .unreachable = answer { doubtPort(of: machine, access) }
    return answer
  }

  func readiness(
    _ answer: KubernetesAnswer, _ trust: ChangeTrust, isUnwell: Bool
  ) -> [CheckResult] {
    switch answer {
    case .status(let code, _):
      [
        CheckResult(.apiServerLeaf, .passed, "issued by \(trust.name(trust.issuing))"),
        code == 200
          ? CheckResult(.apiServerReady, .passed, "ready")
          : isUnwell
            ? CheckResult(
              .apiServerReady, .notApplicable,
              "/readyz: HTTP \(code), as before the rotation; not waited for")
            : CheckResult(
              .apiServerReady, .waiting,
              "/readyz: HTTP \(code); what fails: kubectl get --raw '/readyz?verbose'"),
      ]
    case .untrusted(let text, _), .rejected(let text): [CheckResult(.apiServerLeaf, .waiting, text)]
    case .unreachable(let text): [CheckResult(.apiServerReady, .waiting, text)]
    }
  }

  private func acceptance(
    _ name: CheckName, _ answer: KubernetesAnswer, _ authority: SealedAuthority,
    _ change: TrustChange, isUnwell: Bool
  ) -> CheckResult {
    let which = authority == change.new ? "new" : "old"
    if Self.isLetIn(answer, isUnwell: isUnwell) {
      return CheckResult(name, .passed, "a client of the \(which) CA is let in")
    }
    return CheckResult(name, .waiting, "a client of the \(which) CA gets \(answer.summary)")
  }

  /// Whether an API server has let a client in. Who is known is told by one that is unwell what is wrong with it, and who is
  /// not is told 401.
  private static func isLetIn(_ answer: KubernetesAnswer, isUnwell: Bool) -> Bool {
    if case .status(200, _) = answer { return true }
    return isUnwell && answer.isError
  }

  /// A client of a dropped authority has to get 401. 403 would mean that the server took it for an
  /// anonymous one, which proves nothing.
  static func refusal(
    _ name: CheckName, _ answer: KubernetesAnswer, control: KubernetesAnswer,
    isUnwell: Bool = false
  ) -> CheckResult {
    guard isLetIn(control, isUnwell: isUnwell) else {
      return CheckResult(name, .waiting, "cannot be proved while an accepted client is not let in")
    }
    switch answer {
    case .status(401, _):
      return CheckResult(name, .passed, "a client of the dropped CA gets HTTP 401")
    case .rejected(let text):
      return CheckResult(name, .passed, "a client of the dropped CA is refused (\(text))")
    case .status(403, _):
      return CheckResult(
        name, .waiting,
        "no clear refusal: HTTP 403, as for anonymous clients; the API server takes its client CAs up when it "
          + "restarts (kubectl -n kube-system get pods)")
    case .status(let code, _)
    where (200..<300).contains(code) || isLetIn(answer, isUnwell: isUnwell):
      return CheckResult(name, .waiting, "a client of the dropped CA is still let in")
    default:
      return CheckResult(
        name, .waiting,
        "no clear refusal: \(answer.summary); it is asked again until the answer is clear")
    }
  }

  private func askNodes(
    _ machine: Machine, _ port: Int, as authority: SealedAuthority, _ trust: ChangeTrust
  ) async -> KubernetesAnswer {
    await ask(
      machine, port, "/api/v1/nodes?limit=1", as: authority, trusting: Array(trust.managed))
  }
}
