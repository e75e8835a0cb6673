import Crypto
public import Orchestrator
public import Rotation

/// Finding the machines.
extension TalosDriver {
  public func members(_ access: ClusterAccess) async throws(DriverError) -> [Machine] {
    var failure = TalosFailure.unreachable("cluster \(access.cluster.name) has no control plane")
    for plane in access.cluster.controlPlanes {
      do throws(TalosFailure) {
        let members = try await withMachine(plane, access, within: .zero) {
          client async throws(TalosFailure) in try await client.members()
        }
        return await machines(members, access)
      } catch {
        failure = error
      }
    }
    throw failure.driverError
  }

  /// Machines that are known keep the address by which they are known; of the others each address is
  /// tried.
  private func machines(
    _ members: [ClusterMember], _ access: ClusterAccess
  ) async -> [Machine] {
    var machines: [Machine] = []
    let port = access.cluster.machines.first?.port ?? TalosEndpoint.defaultPort
    for member in members {
      if let known = access.cluster.machines.first(where: { $0.id == member.name }),
        known.role == member.role, member.addresses.contains(known.address)
      {
        machines.append(known)
        continue
      }
      var candidates = member.addresses.map {
        Machine(id: member.name, address: $0, role: member.role, port: port)
      }
      if candidates.count > 1 {
        for candidate in candidates {
          let answer = try? await withMachine(candidate, access, within: .zero) {
            client async throws(TalosFailure) in try await client.version()
          }
          guard answer != nil else { continue }
          candidates = [candidate]
          break
        }
      }
      machines.append(candidates[0])
    }
    return machines
  }
}
