import Crypto
import Orchestrator
import Rotation

extension ClusterDiscovery {
  /// Finds every member at an address where the machine itself answers, control planes first.
  ///
  /// - Returns: beside them, who is left out.
  /// - Throws: `.conflict` where somebody is there who was to be left out.
  func findMachines(
    _ members: [ClusterMember]
  ) async throws(TalosFailure) -> (found: [Found], settled: Membership) {
    var silent: [ClusterMember] = []
    var found = try await find(
      members.filter { $0.role == .controlPlane }, relays: [], members, &silent)
    let planes = found.map(\.machine)
    guard !planes.isEmpty else {
      throw unusable(
        .refused,
        listing == nil
          ? "cluster discovery knows no control plane" : "the list names no control plane")
    }
    found += try await find(
      members.filter { $0.role == .worker }, relays: planes, members, &silent)
    // What others know beyond the members is looked for before it is excused.
    let all = ClusterMember.merged([members] + found.map(\.members))
    let known = Set(members.map(\.identity))
    found += try await find(
      all.filter { !known.contains($0.identity) && meant($0) != nil }, relays: planes, all, &silent)
    if listing != nil { Self.tellApart(&found) }
    let distinct = DistinctMachines.check(found.map(\.machine))
    guard distinct.isSettled else { throw unusable(.conflict, distinct.detail) }
    // With the addresses that others know.
    let whole = silent.map { one in
      all.first { !one.identity.isEmpty && $0.identity == one.identity } ?? one
    }
    let settled = await settle(whole, planes)
    if let present = settled.present.first { throw unusable(.conflict, present.message) }
    return (found, settled)
  }

  /// What machines that can be read say of those that cannot: whom their configurations accept, and the keys of what they
  /// issue from. In the midst of a rotation one machine shows a certificate of the new authority when another still
  /// lets in clients of the old one alone.
  func learning(from members: [ClusterMember]) async -> ClusterDiscovery {
    var discovery = self
    let planes = members.filter { $0.role == .controlPlane && meant($0) == nil }
    for _ in 0..<3 {
      var found = await driver.concurrently(planes) { [discovery] plane in
        try? await discovery.findOnce(plane, relays: [])
      }.compactMap { $0 }
      // They hold keys.
      defer { for index in found.indices { found[index].config.wipe() } }
      let (identities, roots) = await Self.authorities(
        in: found, trusted: discovery.context.roots, now: driver.now())
      let before = (discovery.clients.count, discovery.context.roots.count)
      discovery.admit(identities: identities, roots: roots)
      if found.count == planes.count { break }
      guard before != (discovery.clients.count, discovery.context.roots.count) else { break }
    }
    return discovery
  }

  /// Clients of the authorities that control planes issue from, and all that they accept; of control planes that hold the
  /// key of an authority that is trusted already, and of no other.
  @concurrent
  private static func authorities(
    in found: [Found], trusted: [Certificate], now: Int64
  ) async -> (identities: [Identity], roots: [Certificate]) {
    var (identities, roots): ([Identity], [Certificate]) = ([], [])
    var issuers: Set<Certificate> = []
    for one in found {
      guard let trust = try? MachineConfig(one.config).trust(.talosCA),
        let issuing = trust.issuing, let key = trust.issuingKey, trusted.contains(issuing),
        KeyProof.holds(key, for: issuing)
      else { continue }
      roots += trust.written.filter(\.isCA)
      guard issuers.insert(issuing).inserted,
        let authority = try? Authority(certificate: issuing, key: PrivateKey(pem: key)),
        let identity = try? authority.issue(
          .talosClient(roles: ["os:admin"], validity: Self.lifetime), now: now)
      else { continue }
      identities.append(identity)
    }
    return (identities, roots)
  }

  /// How long a certificate lives that is made for one survey, in seconds.
  private static let lifetime: Int64 = 600

  /// - Parameter silent: takes up who is to be left out and is not found.
  private func find(
    _ wanted: [ClusterMember], relays: [Machine], _ members: [ClusterMember],
    _ silent: inout [ClusterMember]
  ) async throws(TalosFailure) -> [Found] {
    let results = await driver.concurrently(wanted) { member in
      await self.awaited.asking(member.name) { await self.find(member, relays: relays) }
    }
    var found: [Found] = []
    for (member, result) in zip(wanted, results) {
      switch result {
      case .success(var one):
        one.meant = meant(member)
        found.append(one)
      case .failure(let failure):
        // A record that discovery has not forgotten yet: all its addresses are another member's.
        let others = members.filter { $0.identity != member.identity }.flatMap(\.addresses)
        if case .misdirected = failure, member.addresses.allSatisfy(others.contains) { continue }
        if meant(member) != nil, failure.isNobodyOfOurs {
          silent.append(member)
          continue
        }
        throw worded(failure, of: member)
      }
    }
    return found
  }

  /// Tries again for a moment: the apid that passes the call on goes on answering for a machine that has
  /// just come up as it did while that was down, until its pause between two attempts to connect is over.
  private func find(
    _ member: ClusterMember, relays: [Machine]
  ) async -> Result<Found, TalosFailure> {
    let limit = driver.settings.memberTimeout
    do throws(TalosFailure) {
      return .success(
        try await Deadline.of(limit, late: { "no answer within \(limit.components.seconds) s" }) {
          () throws(TalosFailure) in
          try await driver.retrying(for: .seconds(1)) { () throws(TalosFailure) in
            try await findOnce(member, relays: relays)
          }
        })
    } catch { return .failure(error) }
  }

  private func worded(_ failure: TalosFailure, of member: ClusterMember) -> TalosFailure {
    switch failure {
    case .unusable, .misdirected: failure
    case .status where failure.isPermissionDenied: failure
    case .unreachable(let message, let end):
      .unreachable(
        "\(member.name) does not answer, and an import asks every machine: \(Routes.plain(message)); bring it up, or, if "
          + "it is gone for good, leave it out (--leave-out \(member.name))", end)
    case .rejected, .untrusted, .status:
      unusable(failure.driverError.code, words.text(of: member.name, failure))
    }
  }

  private func findOnce(
    _ member: ClusterMember, relays: [Machine]
  ) async throws(TalosFailure) -> Found {
    var failures: [TalosFailure] = []
    var shared: Found?
    for address in preferred(member.addresses) {
      let machine = Machine(
        id: member.name, address: address, role: member.role, port: port(of: address),
        identity: member.identity)
      // One of several clients may be let in by a worker that refuses what control planes present.
      let direct = member.role == .controlPlane || clients.count > 1 ? [machine] : []
      for relay in (member.role == .controlPlane ? [] : relays) + direct {
        do throws(TalosFailure) {
          let found = try await withClients { tls throws(TalosFailure) in
            try await look(at: machine, through: relay, member, tls)
          }
          // A virtual address is whoever holds it: any other at which the machine answers is better.
          if await VirtualAddresses.hold(address, found.config) {
            shared = shared ?? found
            break
          }
          return found
        } catch {
          failures.append(error)
          if case .unusable = error { throw error }
          if error.isPermissionDenied { throw error }
        }
      }
    }
    if let shared { return shared }
    let misdirected = failures.first { if case .misdirected = $0 { true } else { false } }
    let other = failures.last { if case .misdirected = $0 { false } else { true } }
    throw other ?? misdirected ?? .unreachable("\(member.name) has no address")
  }

  private func look(
    at machine: Machine, through relay: Machine, _ member: ClusterMember, _ tls: TLSClient
  ) async throws(TalosFailure) -> Found {
    try await driver.call(relay, for: machine, tls) { client throws(TalosFailure) in
      let version = try supported(try await client.version(), member.name)
      var found = Found(
        machine: machine, version: version, config: try await client.machineConfig())
      try await requireRole(found, member)
      if member.identity.isEmpty { try await introduce(&found, client) }
      if !member.aliases.isEmpty, let own = try await client.nodename(),
        ([member.name] + member.aliases).contains(own)
      {
        found.machine.id = own
      }
      if machine.role == .controlPlane {
        found.members = try await client.members()
      }
      found.way = (relay, tls)
      return found
    }
  }

  /// A machine that was known by its address alone says who it is.
  private func introduce(
    _ found: inout Found, _ client: TalosClient
  ) async throws(TalosFailure) {
    let address = found.machine.address
    guard let text = try await client.identity(), let identity = PeerText.identity(text) else {
      throw unusable(.refused, "\(address) shows no usable node identity")
    }
    found.machine.identity = identity
    guard let name = try await client.nodename() else { return }
    found.machine.id = name
  }

  /// A name that two machines share gets their address, as among the members of discovery.
  private static func tellApart(_ found: inout [Found]) {
    let shared = Dictionary(grouping: found, by: \.machine.id).filter { $0.value.count > 1 }
    for index in found.indices where shared[found[index].machine.id] != nil {
      found[index].machine.id += "@" + found[index].machine.address
    }
  }

  @concurrent
  private func requireRole(_ found: Found, _ member: ClusterMember) async throws(TalosFailure) {
    let config: MachineConfig
    do throws(DriverError) {
      config = try MachineConfig(found.config)
    } catch {
      throw unusable(error.code, "\(member.name): \(error.message)")
    }
    guard config.role == member.role else {
      throw unusable(
        .conflict,
        "\(member.name) is a \(config.role.rawValue) by its configuration, but "
          + (listing == nil ? "discovery takes it for" : "the list names it as")
          + " a \(member.role.rawValue)")
    }
  }

  /// Addresses that the talosconfig names first: those surely can be reached from here.
  private func preferred(_ addresses: [String]) -> [String] {
    let named = Set(context.endpoints.map(\.host))
    return addresses.filter(named.contains) + addresses.filter { !named.contains($0) }
  }

  /// apid listens on the same port everywhere; a talosconfig that names another than the usual means
  /// it for all.
  func port(of address: String) -> Int {
    context.endpoints.first { $0.host == address }?.port ?? context.endpoints[0].port
  }
}

/// Addresses that are a machine's only for the time: the virtual ones that its configuration names, and the
/// host of the Kubernetes endpoint, which is shared where there are several control planes.
enum VirtualAddresses {
  @concurrent
  static func hold(_ address: String, _ config: [UInt8]) async -> Bool {
    guard let config = try? MachineConfig(config) else { return false }
    return config.virtualAddresses.contains(address)
      || config.clusterEndpoint.flatMap(host) == address
  }

  /// The host of a URL such as `https://10.0.0.1:6443`.
  static func host(of url: String) -> String? { TalosEndpoint(url)?.host }

  /// The addresses in the order of trying, those last that may be another machine's a moment later.
  static func last(
    _ addresses: [String], endpoint: String, others: [String]
  ) -> [String] {
    func isShared(_ address: String) -> Bool {
      address == host(of: endpoint) || others.contains(address)
    }
    return addresses.filter { !isShared($0) } + addresses.filter(isShared)
  }
}
