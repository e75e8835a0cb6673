import Rotation

/// `static-pods`: judges whether the static pods of a control plane run with the secrets of its change.
struct StaticPodRestart: Sendable {
  var secrets: StaticPodSecrets
  var mirrors: [StaticPod: MirrorPod]
  /// What was seen before the change; nil where nothing was.
  var baseline: Baseline?
  /// Those that did not run before the rotation, do not now, and are not waited for.
  var excused: Set<StaticPod> = []
  /// The version of the secrets with which a container was first seen, where the baseline does not know the container.
  var versions: [StaticPod: String] = [:]
  var freshness: Freshness
  /// Whether Kubernetes has shown no static pods of the machine for so long that it never does.
  var isPodless = false

  static let name = CheckName.staticPods

  /// Whether every container is another one than before the change, of the present secrets.
  func check(machine: String) -> CheckResult {
    let name = Self.name
    guard secrets.isReady, !secrets.isBehindRoot(freshness) else {
      return CheckResult(name, .waiting, "\(machine) is still writing its control plane's secrets")
    }
    guard !mirrors.isEmpty || Self.hadPods(baseline) else {
      return isPodless
        ? CheckResult(name, .notApplicable, "Kubernetes shows no static pods of this machine")
        : CheckResult(name, .waiting, "Kubernetes shows no static pods of \(machine) yet")
    }
    if let before = baseline?[TalosDriver.Fact.version], isEdited, before == secrets.version,
      !hasBooted
    {
      return CheckResult(
        name, .waiting,
        "\(machine) has not taken up the new secrets yet: they are still of version \(before)")
    }
    for pod in StaticPod.allCases where !excused.contains(pod) {
      guard let mirror = mirrors[pod] else {
        return CheckResult(name, .waiting, "\(pod.rawValue) on \(machine) is being restarted")
      }
      if let open = open(pod, mirror, machine) { return CheckResult(name, .waiting, open) }
    }
    return CheckResult(
      name, .passed, "all static pods run with the secrets of version \(secrets.version)")
  }

  /// Whether Kubernetes showed static pods of the machine before the change. A kubelet takes its mirror pods away and makes
  /// them anew when their annotations change, so for a moment there are none.
  static func hadPods(_ baseline: Baseline?) -> Bool {
    StaticPod.allCases.contains { baseline?[$0.rawValue] != nil }
  }

  static func notYet(_ pod: StaticPod, on machine: String) -> CheckResult {
    CheckResult(
      name, .waiting, "\(pod.rawValue) on \(machine) has not been restarted by its kubelet yet")
  }

  /// Whether the machine has booted since the baseline. It counts versions from the beginning then, and may come to the
  /// number from before; all containers are of the present boot.
  private var hasBooted: Bool {
    guard let before = baseline?[TalosDriver.Fact.created], let now = secrets.boot else {
      return false
    }
    return before != now
  }

  /// Whether the change has changed the configuration, as far as the baseline tells.
  private var isEdited: Bool { baseline?[TalosDriver.Fact.holds] == "false" }

  private func open(_ pod: StaticPod, _ mirror: MirrorPod, _ machine: String) -> String? {
    let waiting = Self.notYet(pod, on: machine).detail
    guard let definition = secrets.pods[pod], definition.version == secrets.version else {
      return "\(machine) has not given its kubelet the new \(pod.rawValue) yet"
    }
    guard mirror.version == secrets.version else { return waiting }
    // The annotation comes before the restart, with the status of the container from before.
    if isEdited, let before = baseline?[pod.rawValue], before == mirror.container { return waiting }
    if let version = versions[pod], version != secrets.version { return waiting }
    return mirror.isStale(against: definition, of: pod, freshness) ? waiting : nil
  }
}
