public import Orchestrator
import ProtoCodec
import Rotation

/// Whose controller-manager and scheduler lead.
extension TalosDriver {
  /// A control plane whose scheduler leads is waited for until its lease has run out and another machine has taken
  /// it; if it is changed after the others, that happens once in a stage. The scheduler's holder is the last, because
  /// the controller-manager is ready again before its lease has run out.
  public func leaders(_ access: ClusterAccess) async -> [String] {
    let planes = access.cluster.controlPlanes
    guard access.rotation?.component == .kubernetesCA, planes.count > 1 else { return [] }
    let holders = try? await Deadline.of(settings.leaderTimeout, late: { "" }) {
      () throws(TalosFailure) in
      do throws(DriverError) {
        return try await self.withKubernetes(access) { client async throws(DriverError) in
          async let scheduler = LeaderLease.outcome(of: .scheduler, client)
          let manager = try await LeaderLease.read(.controllerManager, client)
          return [manager?.host, try await scheduler.get()?.host]
        }
      } catch { throw .unusable(error) }
    }
    return (holders ?? []).compactMap { holder in
      planes.first { holder?.lowercased() == LeaderLease.host($0.id).lowercased() }?.id
    }
  }
}

/// The lease by which one process of a component leads, as an API server shows it.
struct LeaderLease {
  /// The first label of the name of the holder's machine; nil while nobody holds it.
  var host: Substring?
  /// The name of the holder's machine, as the holder has it.
  var holder: String
  /// Whether it was not renewed for twice its duration, by the API server's clock.
  var isForgotten: Bool

  /// Nil where there is no such lease.
  static func read(
    _ pod: StaticPod, _ client: KubernetesClient
  ) async throws(DriverError) -> LeaderLease? {
    let path =
      "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/" + pod.rawValue
    return try await client.getDated(path).map { LeaderLease($0.object, at: $0.date) }
  }

  /// The same as a result, for a call beside others.
  static func outcome(
    of pod: StaticPod, _ client: KubernetesClient
  ) async -> Result<LeaderLease?, DriverError> {
    do throws(DriverError) { return .success(try await read(pod, client)) } catch {
      return .failure(error)
    }
  }

  /// - Parameter date: the API server's time; nil where it does not say it.
  init(_ object: JSONValue, at date: Instant?) {
    let spec = object["spec"]
    // Anybody who may write the lease chooses the number.
    let duration = min(max(spec?["leaseDurationSeconds"]?.integer ?? 15, 1), 3_600)
    let renewed = (spec?["renewTime"]?.string).flatMap(Instant.init(rfc3339:))
    if let renewed, let date {
      isForgotten = renewed.duration(to: date) > .seconds(duration * 2)
    } else {
      isForgotten = false
    }
    // `HOSTNAME_uuid`, by the components' own custom.
    let said = String((spec?["holderIdentity"]?.string ?? "").prefix { $0 != "_" })
    holder = PeerText.hostName(said) ?? ""
    host = holder.isEmpty ? nil : Self.host(holder)
  }

  /// A machine's name without the domain that may stand behind it.
  static func host(_ name: String) -> Substring { name.prefix { $0 != "." } }
}
