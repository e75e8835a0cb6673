public import Orchestrator
import ProtoCodec
public import Rotation

/// What a control plane shows before its change, so that its restart can be told from the time before it.
///
/// After an edit the API server goes on, serves the new certificate from its reloaded files and is ready; the
/// kubelet restarts it seconds later, and for a while shows the new annotation with the old container's
/// status. Only that the container is another one than before says that the restart is over.
extension TalosDriver {
  public func prepare(
    _ change: TrustChange, machine: Machine, access: ClusterAccess
  ) async throws(DriverError) -> Baseline {
    guard change.component == .kubernetesCA, machine.role == .controlPlane else {
      return Baseline()
    }
    let wanted = try wantedTrust(change, machine.role)
    let seen: (secrets: StaticPodSecrets?, nodename: String, holds: Bool)
    do throws(TalosFailure) {
      seen = try await withReading(machine, access, within: .zero) {
        client async throws(TalosFailure) in
        async let nodename = TalosClient.outcome { () async throws(TalosFailure) in
          try await client.nodename()
        }
        async let secrets = TalosClient.outcome { () async throws(TalosFailure) in
          try await StaticPodSecrets.read(client)
        }
        let config = try await client.machineConfig()
        let holds = try await !self.edit(config, wanted, machine).changed
        return (try await secrets.get(), try await nodename.get() ?? machine.id, holds)
      }
    } catch { throw error.driverError }
    guard let secrets = seen.secrets else { return Baseline([Fact.holds: "\(seen.holds)"]) }
    let pods = try await mirrorPods(on: seen.nodename, machine, access)
    var facts = [
      Fact.holds: "\(seen.holds)", Fact.version: secrets.version, Fact.nodename: seen.nodename,
    ]
    for (pod, mirror) in pods { facts[pod.rawValue] = mirror.container }
    return Baseline(facts)
  }

  /// The mirror pods of a control plane's static pods, as far as there are any.
  func mirrorPods(
    on nodename: String, _ machine: Machine, _ access: ClusterAccess
  ) async throws(DriverError) -> [StaticPod: MirrorPod] {
    try await withKubernetes(access, preferring: machine) { client async throws(DriverError) in
      func mirror(_ pod: StaticPod) async -> Result<MirrorPod?, DriverError> {
        let path =
          "/api/v1/namespaces/kube-system/pods/"
          + KubernetesClient.escaped(pod.mirrorName(on: nodename))
        do throws(DriverError) {
          return .success(try await client.get(path).map(MirrorPod.init))
        } catch {
          return .failure(error)
        }
      }
      async let apiServer = mirror(.apiServer)
      async let controllerManager = mirror(.controllerManager)
      async let scheduler = mirror(.scheduler)
      var pods: [StaticPod: MirrorPod] = [:]
      pods[.apiServer] = try await apiServer.get()
      pods[.controllerManager] = try await controllerManager.get()
      pods[.scheduler] = try await scheduler.get()
      return pods
    }
  }

  /// The cheapest look at a control plane: whether a container of its static pods is still the one from before
  /// the change. Nil where none is, and where it cannot be told.
  func containersBefore(_ look: MachineLook) async -> CheckResult? {
    guard let baseline = look.baseline, baseline[Fact.holds] == "false",
      let nodename = baseline[Fact.nodename],
      let mirrors = try? await mirrorPods(on: nodename, look.machine, look.access)
    else { return nil }
    let options = look.change.options
    let old = StaticPod.allCases.first { pod in
      guard let before = baseline[pod.rawValue] else { return false }
      return mirrors[pod]?.container == before
        && !options.unready.contains(pod.unreadyName(on: nodename))
    }
    return old.map { StaticPodRestart.notYet($0, on: look.machine.id) }
  }

  /// The names of the facts of a baseline.
  enum Fact {
    /// Whether the configuration held the change already.
    static let holds = "holds"
    /// The version of the static pods' secrets.
    static let version = "secrets-version"
    /// The name of the machine's Kubernetes node.
    static let nodename = "nodename"
  }
}

/// Judges whether the static pods of a control plane run with the secrets of its change.
struct StaticPodRestart: Sendable {
  var secrets: StaticPodSecrets
  var mirrors: [StaticPod: MirrorPod]
  /// What was seen before the change; nil where nothing was.
  var baseline: Baseline?
  /// Those that were unwell before the rotation, and are not waited for.
  var unready: Set<StaticPod> = []
  var now: Instant

  static let name = CheckName.staticPods

  /// Whether every container is another one than before the change, of the present secrets.
  func check(machine: String) -> CheckResult {
    let name = Self.name
    guard secrets.isReady, !secrets.isBehindRoot(now: now) else {
      return CheckResult(name, .waiting, "\(machine) is still writing its control plane's secrets")
    }
    guard !mirrors.isEmpty else {
      return CheckResult(name, .notApplicable, "Kubernetes shows no static pods of this machine")
    }
    if let before = baseline?[TalosDriver.Fact.version], isEdited, before == secrets.version {
      return CheckResult(
        name, .waiting,
        "\(machine) has not taken up the new secrets yet: they are still of version \(before)")
    }
    for pod in StaticPod.allCases where !unready.contains(pod) {
      guard let mirror = mirrors[pod] else {
        return CheckResult(name, .waiting, "\(pod.rawValue) on \(machine) is being restarted")
      }
      if let open = open(pod, mirror, machine) { return CheckResult(name, .waiting, open) }
    }
    return CheckResult(
      name, .passed, "all static pods run with the secrets of version \(secrets.version)")
  }

  static func notYet(_ pod: StaticPod, on machine: String) -> CheckResult {
    CheckResult(
      name, .waiting, "\(pod.rawValue) on \(machine) has not been restarted by its kubelet yet")
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
    return mirror.isStale(against: definition, now: now) ? waiting : nil
  }
}
