import Crypto
import Orchestrator
import Rotation

/// A cluster with three control planes and two workers whose Talos API CA has been rotated once.
///
/// The keys that are sealed are random bytes: omnid looks at the seal when it starts, and opens it when
/// a rotation or a credential is asked for.
struct SampleCluster {
  var record: ClusterRecord
  var rotation: RotationRecord

  init(number: Int, authorities: SampleAuthorities, now: Rotation.Instant) {
    let name = "cluster-\(10_000 + number)"
    let machines = (0..<5).map { index in
      Machine(
        id: index < 3 ? "cp-\(index)" : "worker-\(index - 3)",
        address: "127.\(100 + number / 250).\(number % 250).\(index + 10)",
        role: index < 3 ? .controlPlane : .worker)
    }
    let id = "rotation-\(10_000 + number)"
    let new = authorities.newTalos(name, rotation: id)
    record = ClusterRecord(
      name: name, endpoints: machines[..<3].map(\.address),
      kubernetesEndpoint: "https://127.\(100 + number / 250).\(number % 250).10:6443",
      authorities: [
        .talosCA: new, .kubernetesCA: authorities.kubernetes(name),
      ],
      machines: machines, talosVersion: "v1.9.5", importedAt: now, rotationCount: 1)
    let stage = Stage(
      phase: .postRotate,
      machines: machines.map { MachineProgress(machine: $0, state: .verified(Self.effort(now))) })
    rotation = RotationRecord(
      id: id, cluster: name, ordinal: 1, component: .talosCA,
      old: authorities.oldTalos(name), new: new, state: .succeeded(stage), notes: [],
      reason: "yearly rotation", requester: "alice", startedAt: now, updatedAt: now,
      finishedAt: now)
  }

  private static func effort(_ now: Rotation.Instant) -> Effort {
    let checks = ["reachable", "config-applied", "issuing", "accepted", "server-leaf"].map {
      CheckRecord(result: CheckResult(named: $0, .passed), since: now)
    }
    return Effort(attempts: 1, checks: checks)
  }
}

/// Real certificates, so that the records have the size of real ones.
struct SampleAuthorities {
  private let old, new, kubernetes: SealedAuthority

  init(now: Rotation.Instant, sealer: Sealer) throws {
    func make(_ kind: AuthorityKind) throws -> SealedAuthority {
      let authority = try Authority.generate(kind, now: now.secondsSince1970)
      return SealedAuthority(
        certificatePEM: authority.certificate.pem, fingerprint: authority.certificate.fingerprint,
        sealedKey: try sealer.seal(Random.bytes(150), context: "sample"),
        binding: AuthorityBinding(cluster: "", component: .talosCA))
    }
    old = try make(.talos)
    new = try make(.talos)
    kubernetes = try make(.kubernetes)
  }

  func oldTalos(_ cluster: String) -> SealedAuthority {
    bound(old, AuthorityBinding(cluster: cluster, component: .talosCA))
  }

  func newTalos(_ cluster: String, rotation: String) -> SealedAuthority {
    bound(new, AuthorityBinding(cluster: cluster, component: .talosCA, rotation: rotation))
  }

  func kubernetes(_ cluster: String) -> SealedAuthority {
    bound(kubernetes, AuthorityBinding(cluster: cluster, component: .kubernetesCA))
  }

  private func bound(_ authority: SealedAuthority, _ binding: AuthorityBinding) -> SealedAuthority {
    var authority = authority
    authority.binding = binding
    return authority
  }
}
