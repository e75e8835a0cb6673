import Crypto
public import Orchestrator
import Rotation

/// Whether a retired authority has come back.
extension TalosDriver {
  public func sightings(
    of retired: RetiredAuthorities, access: ClusterAccess
  ) async -> [String: Set<RetiredSighting>] {
    await concurrently(access.cluster.machines) { machine in
      (machine.id, await self.sightings(of: retired, on: machine, access))
    }.reduce(into: [:]) { $0[$1.0] = $1.1 }
  }

  /// Nil where the machine could not be asked.
  private func sightings(
    of retired: RetiredAuthorities, on machine: Machine, _ access: ClusterAccess
  ) async -> Set<RetiredSighting>? {
    do throws(TalosFailure) {
      let bytes = try await withReading(machine, access, within: .zero) {
        client async throws(TalosFailure) in try await client.machineConfig()
      }
      return await Self.sightings(of: retired, in: bytes)
    } catch { return nil }
  }

  @concurrent
  private static func sightings(
    of retired: RetiredAuthorities, in bytes: [UInt8]
  ) async -> Set<RetiredSighting>? {
    guard let config = try? MachineConfig(bytes) else { return nil }
    var seen: Set<RetiredSighting> = []
    for (component, fingerprints) in retired.fingerprints {
      // A configuration without the component, as of a cluster without Kubernetes, holds nothing of it.
      for certificate in (try? config.trust(component))?.written ?? []
      where fingerprints.contains(certificate.fingerprint) {
        seen.insert(RetiredSighting(component, certificate.fingerprint))
      }
    }
    return seen
  }
}
