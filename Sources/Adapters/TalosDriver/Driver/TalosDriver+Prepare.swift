import Crypto
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
        var config = try await client.machineConfig()
        defer { config.wipe() }
        self.notePort(in: config, of: machine, access)
        let holds = try await !self.edit(config, wanted, machine).changed
        return (try await secrets.get(), try await nodename.get() ?? machine.id, holds)
      }
    } catch { throw words(access).error(machine, error) }
    guard let secrets = seen.secrets else { return Baseline([Fact.holds: "\(seen.holds)"]) }
    let pods = try await mirrorPods(on: seen.nodename, machine, access)
    var facts = [
      Fact.holds: "\(seen.holds)", Fact.version: secrets.version, Fact.nodename: seen.nodename,
    ]
    facts[Fact.created] = secrets.boot
    for (pod, mirror) in pods { facts[pod.rawValue] = mirror.container }
    for pod in StaticPod.allCases
    where change.options.unready.contains(pod.unreadyName(on: seen.nodename)) {
      facts[Fact.ready(pod)] = "\(try await isReady(pod, pods[pod], machine, access))"
    }
    return Baseline(facts)
  }

  /// Whether a static pod serves, or is said to be Ready. A mirror pod may say so of an API server that is gone.
  private func isReady(
    _ pod: StaticPod, _ mirror: MirrorPod?, _ machine: Machine, _ access: ClusterAccess
  ) async throws(DriverError) -> Bool {
    guard pod == .apiServer else { return mirror?.isReady == true }
    let trust = try ClusterTrust(.kubernetesCA, access, keyring)
    let answer = await readiness(machine, access, trusting: trust.roots, as: trust.signers)
    return if case .status(200, _) = answer { true } else { false }
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

  /// The names of the facts of a baseline.
  enum Fact {
    /// Whether the configuration held the change already.
    static let holds = "holds"
    /// The version of the static pods' secrets.
    static let version = "secrets-version"
    /// Since when the machine counts the versions.
    static let created = "secrets-created"
    /// The name of the machine's Kubernetes node.
    static let nodename = "nodename"
    /// Whether a static pod was ready; only of those that were not at the rotation's start.
    static func ready(_ pod: StaticPod) -> String { "ready " + pod.rawValue }
  }
}
