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
      var bytes = try await withReading(machine, access, within: .zero) {
        client async throws(TalosFailure) in try await client.machineConfig()
      }
      // It holds keys.
      defer { bytes.wipe() }
      return await Self.sightings(of: retired, in: bytes)
    } catch { return await sightings(of: retired, onDeaf: machine, access) }
  }

  /// Of a machine that does not let this cluster's clients in, whether it lets in those of a retired Talos CA: its
  /// configuration was put back whole. Nil where it lets in none.
  private func sightings(
    of retired: RetiredAuthorities, onDeaf machine: Machine, _ access: ClusterAccess
  ) async -> Set<RetiredSighting>? {
    // A worker goes on with the certificate that it has, which is of the present CA.
    let present = (try? ClusterTrust(.talosCA, access, keyring).roots) ?? []
    for authority in retired.authorities.filter({ $0.binding.component == .talosCA }).prefix(2) {
      guard let certificate = try? keyring.certificate(authority) else { continue }
      guard case .success = await dial(machine, as: authority, trusting: [certificate] + present)
      else { continue }
      return [RetiredSighting(.talosCA, authority.fingerprint)]
    }
    return nil
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
