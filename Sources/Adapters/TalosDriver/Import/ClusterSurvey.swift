import Crypto
import Orchestrator
import Rotation

/// A survey under way: what an import reads of a cluster, where its machines need not agree.
struct ClusterSurvey: Sendable {
  let driver: TalosDriver
  let request: SurveyRequest
  private var discovery: ClusterDiscovery
  /// The Talos CAs that are trusted before any machine is asked.
  private let trusted: Set<Certificate>
  /// Who is being asked.
  var awaited: AwaitedMachines { discovery.awaited }
  /// Authorities of the record, whose keys open for this cluster.
  private let onRecord: [SealedAuthority]
  private static let admin = Keyring.Purpose.talos(roles: ["os:admin"])

  init(_ driver: TalosDriver, _ request: SurveyRequest) async throws(DriverError) {
    self.driver = driver
    self.request = request
    onRecord =
      (request.known.map { Array($0.authorities.values) + Array($0.predecessors.values) } ?? [])
      + request.retired.authorities + (request.running.map { [$0.old, $0.new] } ?? [])
    let context: TalosContext
    let own = try Self.own(request, driver.keyring)
    if let access = request.access {
      context = try await Talosconfig.read(access)
      try context.requireInTime(driver.now())
    } else if let known = request.known, let own {
      context = TalosContext(
        name: known.name, endpoints: known.reachableEndpoints, nodes: [], roots: own.roots,
        identity: try driver.keyring.identity(Self.admin, from: own.signers[0]))
    } else {
      throw DriverError(.invalidInput, "a cluster that is not known needs a talosconfig")
    }
    var trusted = Set(context.roots + (own?.roots ?? []))
    if let before = request.known?.predecessors[.talosCA] {
      trusted.insert(try driver.keyring.certificate(before))
    }
    self.trusted = trusted
    discovery = ClusterDiscovery(
      driver: driver, context: context, name: request.cluster,
      listing: request.listing
        ?? request.known.flatMap { $0.isListed ? MachineListing($0.machines) : nil },
      leftOut: request.leftOut, known: request.known?.machines ?? [])
    if request.access == nil { discovery.credentials = .record(request.cluster) }
    try learnFromRecord()
  }

  /// How the driver deals with the machines by what is on record; nil for a cluster that has no Talos CA there.
  private static func own(
    _ request: SurveyRequest, _ keyring: Keyring
  ) throws(DriverError) -> ClusterTrust? {
    guard let known = request.known, known.authorities[.talosCA] != nil else { return nil }
    return try ClusterTrust(
      .talosCA, ClusterAccess(cluster: known, rotation: request.running), keyring)
  }

  /// Clients of the authorities on record, for machines that let in nobody else.
  private mutating func learnFromRecord() throws(DriverError) {
    var identities: [Identity] = []
    var roots: [Certificate] = []
    for authority in onRecord where authority.binding.component == .talosCA && authority.hasKey {
      // One that has expired lets nobody in.
      guard let identity = try? driver.keyring.identity(Self.admin, from: authority) else {
        continue
      }
      identities.append(identity)
      roots.append(try driver.keyring.certificate(authority))
    }
    discovery.admit(identities: identities, roots: roots)
  }

  func run() async throws(TalosFailure) -> SurveyedCluster {
    let answers = try await discovery.reachEndpoints()
    let discovery = await discovery.learning(from: answers.members)
    var (found, settled) = try await discovery.findMachines(answers.members)
    // They hold keys.
    defer { for index in found.indices { found[index].config.wipe() } }
    let endpoints = try await discovery.requireCoverage(found, settled, answers)
    let facts = try await ConfigFacts.read(found)
    var inspections = try await inspect(found, hasKubernetes: facts.hasKubernetes)
    defer { for index in inspections.indices { inspections[index].wipe() } }
    do throws(DriverError) {
      var retired: Set<Certificate> = []
      for one in request.retired.authorities where one.binding.component == .talosCA {
        retired.insert(try driver.keyring.certificate(one))
      }
      try await GenuinePlanes.require(
        inspections, trusted: trusted, retired: retired, known: request.known)
    } catch { throw .unusable(error) }
    var surveyed = SurveyedCluster(
      record: ClusterRecord(
        name: request.cluster, clusterID: facts.clusterID,
        endpoints: discovery.context.endpoints.map(\.description).filter {
          !endpoints.gone.contains($0)
        },
        kubernetesEndpoint: facts.kubernetesEndpoint, authorities: [:],
        machines: found.map(\.machine), isListed: discovery.listing != nil,
        talosVersion: found.map(\.version).min()?.description ?? ""),
      warnings: facts.warnings)
    if let running = request.running {
      // The rotation itself looks at everything else.
      let others = SecretComponent.allCases.filter { component in
        component != running.component && (component == .talosCA || facts.hasKubernetes)
      }
      for component in others { _ = try await classify(component, inspections, into: &surveyed) }
      return surveyed
    }
    for inspection in inspections { surveyed.findings += await inspection.generalFindings() }
    let common = try await classify(.talosCA, inspections, into: &surveyed)
    if facts.hasKubernetes { _ = try await classify(.kubernetesCA, inspections, into: &surveyed) }
    surveyed.talosObstacle = talosObstacle(surveyed, common)
    if facts.hasKubernetes { await compareNodes(&surveyed) }
    await compareRecord(&surveyed, &settled, discovery, answers)
    surveyed.leftOut = LeftOutMachines(identities: settled.named)
    surveyed.goneEndpoints = endpoints.gone
    surveyed.warnings +=
      settled.left + endpoints.notes + discovery.unheeded(found, settled, endpoints)
    return surveyed
  }

  private func inspect(
    _ found: [ClusterDiscovery.Found], hasKubernetes: Bool
  ) async throws(TalosFailure) -> [MachineInspection] {
    let now = driver.now
    let results = await driver.concurrently(found) {
      [driver, awaited] one -> Result<MachineInspection, TalosFailure> in
      await awaited.asking(one.machine.id) {
        do throws(TalosFailure) {
          guard let way = one.way else { throw .unreachable("\(one.machine.id) was not found") }
          return .success(
            try await driver.call(way.relay, for: one.machine, way.tls, isReading: true) {
              client async throws(TalosFailure) in
              try await MachineInspection.read(
                client, one.machine, hasKubernetes: hasKubernetes, now: now)
            })
        } catch { return .failure(error) }
      }
    }
    var inspections: [MachineInspection] = []
    for result in results { inspections.append(try result.get()) }
    return inspections
  }

  private func compareNodes(_ surveyed: inout SurveyedCluster) async {
    guard surveyed.record.authorities[.kubernetesCA] != nil else {
      surveyed.warnings.append(
        "the Kubernetes nodes are not compared with the machines, because the kubernetes-ca cannot be told apart"
      )
      return
    }
    switch await driver.nodes(ClusterAccess(cluster: surveyed.record)) {
    case .success(let nodes):
      surveyed.findings += Coverage.nodes(nodes, of: surveyed.record.machines).unmanaged.map {
        Coverage.unmanaged($0)
      }
    case .failure(let error):
      surveyed.warnings.append(
        "the Kubernetes nodes could not be compared with the machines: \(error.message)")
      if surveyed.unclear.contains(where: { $0.component == .kubernetesCA }) {
        surveyed.unready.insert(Coverage.unreadyNodes)
      }
    }
  }

  /// Whoever rotates another component reaches the machines by one Talos CA, and trusts that one alone as theirs: a machine
  /// that shows a certificate of another one, which nobody has vouched for, may be anybody and is sent no key.
  private func talosObstacle(_ surveyed: SurveyedCluster, _ common: String?) -> String? {
    if let common, surveyed.record.authorities[.talosCA]?.fingerprint == common { return nil }
    if let unclear = surveyed.unclear.first(where: { $0.component == .talosCA }) {
      return unclear.text
    }
    return "the control planes do not all issue from one Talos CA that every machine accepts"
  }

  // MARK: Authorities

  /// - Returns: how all machines can be reached, of the Talos CA; see `TrustSurvey.common`.
  private func classify(
    _ component: SecretComponent, _ inspections: [MachineInspection],
    into surveyed: inout SurveyedCluster
  ) async throws(TalosFailure) -> String? {
    do throws(DriverError) {
      let reading = try await AuthorityReading.of(
        component, inspections, onRecord, current: request.known?.authorities[component],
        predecessor: request.known?.predecessors[component], driver.keyring,
        now: Instant(secondsSince1970: driver.now()))
      switch reading.survey.outcome {
      case .settled(let fingerprint):
        surveyed.record.authorities[component] = try seal(
          try reading[fingerprint], component, reading)
      case .unclear(let reason):
        surveyed.unclear.append(UnclearComponent(component, reason))
        if let current = request.known?.authorities[component] {
          surveyed.record.authorities[component] = current
        } else if component == .talosCA, let common = reading.survey.common {
          // Whatever else is unclear, by this one the machines are reached.
          surveyed.record.authorities[component] = try seal(
            try reading[common], component, reading)
        }
      case .unfinished(let found): try take(found, component, reading, into: &surveyed)
      }
      return reading.survey.common
    } catch { throw .unusable(error) }
  }

  private func take(
    _ found: TrustSurvey.Unfinished, _ component: SecretComponent, _ reading: AuthorityReading,
    into surveyed: inout SurveyedCluster
  ) throws(DriverError) {
    let (oldest, newest) = (try reading[found.old], try reading[found.new])
    let old = try seal(oldest, component, reading)
    let new = try seal(newest, component, reading, rotation: request.rotation)
    let returnObstacle =
      found.returnObstacle
      ?? (old.hasKey ? nil : "the key of \(ForeignAuthority.name(oldest)) is not known")
    surveyed.warnings += warnings(found, newest, new, component, canReturn: returnObstacle == nil)
    surveyed.unfinished.append(
      UnfinishedRotation(
        component: component, old: old, new: new, phase: found.phase,
        finishObstacle: found.finishObstacle, returnObstacle: returnObstacle,
        isOldOver: oldest.notAfter <= driver.now(),
        machines: reading.survey.machines.map { $0.trust(found.old, found.new) }
          .sorted { RolloutPolicy.precedes($0.machine, $1.machine) }))
    // While another component is taken over first, the machines are reached with what issues.
    let issues = reading.issuing(found.old) ? oldest : newest
    let current = request.known?.authorities[component]
    surveyed.record.authorities[component] =
      if let current, current.fingerprint == issues.fingerprint { current } else {
        try seal(issues, component, reading)
      }
    surveyed.findings += try found.foreign.map { machine, fingerprint throws(DriverError) in
      let authority = try reading[fingerprint]
      return Finding(
        .foreignAuthority, machine.id,
        "\(machine.id) accepts \(ForeignAuthority.name(authority)), which is neither the old nor the new "
          + "\(component.rawValue): an intruder, or another rotation, has added it; give --remove-foreign "
          + "to take it out")
    }
  }

  /// What a person has to know of the new authority before the rotation is taken over.
  private func warnings(
    _ found: TrustSurvey.Unfinished, _ newest: Certificate, _ new: SealedAuthority,
    _ component: SecretComponent, canReturn: Bool
  ) -> [String] {
    let name = "\(ForeignAuthority.name(newest)), the new \(component.rawValue),"
    var lines: [String] = []
    if !isOnRecord(new) {
      lines.append(
        "\(name) is not on record: whoever made it has its key; if nobody of yours did, "
          + (canReturn
            ? "take the rotation back (--roll-back)"
            : "finish the rotation, and then rotate both CAs again"))
    }
    let end = Instant(secondsSince1970: newest.notAfter)
    let now = Instant(secondsSince1970: driver.now())
    if found.finishObstacle == nil, now.advanced(by: TrustSurvey.leastLife) >= end {
      lines.append("\(name) expires on \(end): rotate again as soon as the rotation is over")
    }
    return lines
  }

  private func isOnRecord(_ authority: SealedAuthority) -> Bool {
    onRecord.contains { $0.fingerprint == authority.fingerprint }
  }

  /// The authority with its key, where a control plane or the record has it.
  ///
  /// - Parameter rotation: the rotation that brings it; nil: it was there before.
  private func seal(
    _ certificate: Certificate, _ component: SecretComponent, _ reading: AuthorityReading,
    rotation: String? = nil
  ) throws(DriverError) -> SealedAuthority {
    let binding = AuthorityBinding(
      cluster: request.cluster, component: component, rotation: rotation ?? "")
    let kept = onRecord.first {
      $0.fingerprint == certificate.fingerprint && $0.binding.component == component && $0.hasKey
    }
    if rotation == nil, let kept { return kept }
    var key = reading.keys[certificate]
    if let kept { key = try driver.keyring.keyPEM(kept) }
    guard let key else {
      return SealedAuthority(
        certificatePEM: certificate.pem, fingerprint: certificate.fingerprint, sealedKey: [],
        binding: binding)
    }
    let authority: Authority
    do throws(CryptoError) {
      authority = try Authority(certificate: certificate, key: PrivateKey(pem: key))
    } catch {
      throw DriverError(.invalidConfig, "the key of the \(component.rawValue) cannot be read")
    }
    return try driver.keyring.seal(authority, for: binding)
  }
}
