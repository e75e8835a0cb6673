import Crypto
import Orchestrator
import Rotation

/// Members that need not answer, because a person has said that they are gone.
extension ClusterDiscovery {
  /// The machine that a member stands for, where a person has said that it is gone; nil where nobody has.
  func meant(_ member: ClusterMember) -> Machine? {
    guard !leftOut.isEmpty else { return nil }
    let address = member.addresses[0]
    let record = known.first {
      member.identity.isEmpty ? $0.address == address : $0.identity == member.identity
    }
    let names = [record?.id, member.name].compactMap(\.self) + member.aliases
    let identity = member.identity.isEmpty ? record?.identity ?? "" : member.identity
    // It may run on where the record has it, whatever it announces.
    let place = (record?.address ?? address, record?.port ?? port(of: address))
    return names.map {
      Machine(id: $0, address: place.0, role: member.role, port: place.1, identity: identity)
    }.first(where: leftOut.contains)
  }

  /// What to tell of what was said of machines that are there, or that nobody knows.
  func unheeded(
    _ found: [Found], _ settled: Membership, _ endpoints: EndpointLook
  ) -> [String] {
    let there = found.compactMap(\.meant)
    let named = leftOut.names.subtracting(leftOut.beyond(there))
    return there.map {
      "\($0.id) is not left out, because it lets omnid in: it is one of the machines"
    } + leftOut.unknown(besides: named.union(settled.named.keys).union(endpoints.named))
  }

  /// Looks once more, by every way that there is, for members that are left out.
  func settle(_ silent: [ClusterMember], _ planes: [Machine]) async -> Membership {
    let left = silent.compactMap { member in meant(member).map { (member, $0) } }
    let places = left.map { TalosDriver.places(of: $0.1, $0.0) }
    let signs = await driver.concurrently(places, limit: TalosDriver.tracesAtOnce) { places in
      await self.awaited.asking(places[0].id) { await self.trace(of: places, planes) }
    }
    var settled = Membership()
    for (index, (_, machine)) in left.enumerated() {
      _ = settled.settle(machine, at: places[index], foundAt: signs[index], leftOut)
    }
    return settled
  }

  /// What shows that somebody of the cluster is there.
  func trace(of places: [Machine], _ planes: [Machine]) async -> String? {
    await driver.trace(of: places, through: planes, as: clients.map { TraceCaller(tls: $0) })
  }
}
