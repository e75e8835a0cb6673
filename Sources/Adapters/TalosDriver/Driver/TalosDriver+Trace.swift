import Crypto
import Orchestrator
import Rotation
import Synchronization

/// Whether a machine of which somebody has said that it is gone is there.
extension TalosDriver {
  /// What shows that a machine of the cluster is there, at the first place where something does; nil where nothing does.
  ///
  /// Each place is asked directly and through control planes: from ROTATE on a worker that was left behind refuses what
  /// control planes present, and lets in a client of the old authority; a control plane may be behind a firewall that only
  /// this host has before it.
  ///
  /// - Parameter places: the machine at each of the addresses by which it is known.
  func trace(of places: [Machine], _ access: ClusterAccess) async -> String? {
    let callers: [TraceCaller]
    do throws(DriverError) { callers = try traceCallers(access) } catch {
      return "it cannot be asked whether it is there: \(error.message)"
    }
    let last = notes.withLock { $0.relay[access.cluster.name] }
    let planes = access.cluster.controlPlanes
    return await trace(
      of: places,
      through: planes.filter { $0.address == last } + planes.filter { $0.address != last },
      as: callers)
  }

  /// The same for whoever has no record of the cluster.
  ///
  /// - Parameters:
  ///   - planes: the control planes that may pass a call on, the surest first.
  ///   - callers: as whom to ask.
  func trace(
    of places: [Machine], through planes: [Machine], as callers: [TraceCaller]
  ) async -> String? {
    await concurrently(places, limit: ClusterMember.addressLimit) { place -> String? in
      async let itself = self.answer(of: place, through: place, to: callers)
      // A name means nothing to a control plane.
      let relays = planes.filter {
        $0.id != place.id && $0.address != place.address
          && NetworkAddress.looksLikeAddress(place.address)
      }
      let relayed = await self.concurrently(Array(relays.prefix(Self.relayLimit))) {
        (relay: $0, answer: await self.answer(of: place, through: $0, to: callers))
      }
      let direct = await itself
      if let sign = direct.sign(at: place) { return sign }
      for one in relayed {
        if let sign = one.answer.sign(at: place, through: one.relay) { return sign }
      }
      // Where this host has no way to the machine itself, a control plane's word is all that there is.
      return direct.failures.allSatisfy(\.isSilent)
        && relayed.contains { $0.answer.failures.contains(where: \.tellsOfTLS) }
        ? "a machine answers a control plane at \(place.address), where this host has no way to it"
        : nil
    }.compactMap(\.self).first
  }

  /// The most control planes that are asked about one place.
  private static let relayLimit = 5

  private func answer(
    of place: Machine, through relay: Machine, to callers: [TraceCaller]
  ) async -> TraceAnswer {
    var answer = TraceAnswer()
    for caller in callers {
      do throws(TalosFailure) {
        _ = try await call(relay, for: place, caller.tls, isReading: true) {
          client async throws(TalosFailure) in try await client.version()
        }
        answer.letIn = caller
        return answer
      } catch {
        answer.failures.append(error)
        // Nobody is there to whom somebody else could be shown.
        if error.isNoContact { break }
      }
    }
    return answer
  }

  /// As whom, and trusting whom, it is asked whether a machine is there: every Talos CA that is known to have been the
  /// cluster's. A machine to which somebody has given a retired one again lets that one's clients in, and nobody else.
  private func traceCallers(_ access: ClusterAccess) throws(DriverError) -> [TraceCaller] {
    let trust = try ClusterTrust(.talosCA, access, keyring)
    let change =
      access.rotation.flatMap { $0.component == .talosCA ? [$0.new, $0.old] : nil } ?? []
    let retired = access.retired.authorities.filter { $0.binding.component == .talosCA }
    let former = change + [access.cluster.predecessors[.talosCA]].compactMap(\.self) + retired
    var roots = trust.roots
    for authority in former where roots.count < Self.traceRoots {
      // One that cannot be read is nobody's certificate.
      guard let root = try? keyring.certificate(authority), !roots.contains(root) else { continue }
      roots.append(root)
    }
    var signers = trust.signers
    let clients = former.prefix(former.count - retired.count) + retired.prefix(Self.retiredClients)
    for authority in clients
    where keyring.signs(authority)
      && !signers.contains(where: { $0.fingerprint == authority.fingerprint })
    {
      signers.append(authority)
    }
    var callers: [TraceCaller] = []
    for signer in signers {
      let tls = try keyring.client(.talos(roles: ["os:admin"]), from: signer, trusting: roots)
      let isRetired = retired.contains { $0.fingerprint == signer.fingerprint }
      callers.append(TraceCaller(tls: tls, retired: isRetired ? signer.fingerprint : nil))
    }
    return callers
  }

  /// The most authorities whose certificates show that a machine is the cluster's.
  private static let traceRoots = 32

  /// Of how many retired authorities clients are shown, the newest first.
  private static let retiredClients = 2
}

/// As whom a machine is asked whether it is there.
struct TraceCaller: Sendable {
  var tls: TLSClient
  /// The fingerprint of the authority that has issued the certificate, where that one is retired.
  var retired: String?
}

/// What came of asking about one place along one way.
private struct TraceAnswer: Sendable {
  /// Who was let in; nil: nobody.
  var letIn: TraceCaller?
  var failures: [TalosFailure] = []

  /// What shows that a machine of the cluster is there; nil: nothing.
  ///
  /// - Parameter relay: the control plane that has passed the call on. Whether that one and this host accept each other's
  ///   certificates says nothing about the machine.
  func sign(at place: Machine, through relay: Machine? = nil) -> String? {
    if let letIn {
      let whom = letIn.retired.map { "clients of the retired CA \($0.prefix(12))" } ?? "omnid"
      return "it lets \(whom) in at \(place.address)" + (relay.map { ", through \($0.id)" } ?? "")
    }
    let isThere = failures.contains { !$0.isNobodyOfOurs && (relay == nil || !$0.isAboutTrust) }
    return isThere ? "a machine of the cluster answers at \(place.address)" : nil
  }
}
