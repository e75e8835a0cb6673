import Orchestrator
import Rotation
import Synchronization

/// What machines show of a rotation that somebody else has begun.
extension SimulatedDriver {
  func survey(_ request: SurveyRequest) async throws(DriverError) -> SurveyedCluster {
    do { try await clock.sleep(for: .milliseconds(clock.pick(1...200))) } catch {
      throw DriverError(.unreachable, "cancelled")
    }
    guard let cluster = clusters[request.cluster] else {
      throw DriverError(.unreachable, "no answer")
    }
    let nodes = cluster.state.withLock { $0.nodes.values.sorted { $0.machine.id < $1.machine.id } }
    for node in nodes where cluster.isDown(node.machine.id) {
      throw DriverError(.unreachable, "\(node.machine.id) does not answer")
    }
    if request.running?.component == .kubernetesCA, request.access == nil,
      let known = request.known,
      cluster.hasReplaced(.talosCA, of: known)
    {
      throw DriverError(.unauthenticated, "unknown certificate authority")
    }
    var surveyed = SurveyedCluster(record: cluster.record)
    let ends = cluster.state.withLock { $0.ends }
    surveyed.record.authorities = [:]
    for component in SecretComponent.allCases where component != request.running?.component {
      let kept = keptKeys(component, request)
      let survey = TrustSurvey(
        component: component,
        machines: nodes.map { node in
          let trust = node.trust[component]
          let accepted = (trust?.accepted ?? []).sorted()
          return TrustSurvey.Seen(
            machine: node.machine, issuing: trust?.issuing,
            holdsKey: trust.map { node.keys.contains($0.issuing) } ?? false, listed: accepted,
            inUse: [accepted])
        },
        known: TrustSurvey.Known(
          current: request.known?.authorities[component]?.fingerprint,
          predecessor: request.known?.predecessors[component]?.fingerprint,
          retired: request.retired.fingerprints[component]?.sorted() ?? [],
          withKeys: Set(kept.map(\.fingerprint))),
        authorities: Dictionary(
          uniqueKeysWithValues: Set(nodes.flatMap { $0.trust[component]?.accepted ?? [] }).map {
            (
              $0,
              TrustSurvey.Authority(
                name: $0, notBefore: age($0),
                notAfter: ends[$0] ?? Instant(secondsSince1970: 1 << 33), isRoot: true)
            )
          }), now: clock.now())
      // A configuration holds the key of what it issues from, and no other.
      let keys = Set(nodes.compactMap { $0.trust[component]?.issuing }).filter { issuer in
        nodes.contains { $0.trust[component]?.issuing == issuer && $0.keys.contains(issuer) }
      }
      func seal(_ fingerprint: String, _ rotation: String = "") -> SealedAuthority {
        if rotation.isEmpty, let kept = kept.first(where: { $0.fingerprint == fingerprint }) {
          return kept
        }
        let isKnown = keys.contains(fingerprint) || kept.contains { $0.fingerprint == fingerprint }
        return SealedAuthority(
          certificatePEM: "pem", fingerprint: fingerprint, sealedKey: isKnown ? [3] : [],
          binding: AuthorityBinding(
            cluster: cluster.name, component: component, rotation: rotation))
      }
      switch survey.outcome {
      case .settled(let fingerprint): surveyed.record.authorities[component] = seal(fingerprint)
      case .unclear(let reason):
        surveyed.unclear.append(UnclearComponent(component, reason))
        surveyed.record.authorities[component] =
          request.known?.authorities[component]
          ?? (component == .talosCA ? survey.common.map { seal($0) } : nil)
      case .unfinished(let found):
        surveyed.record.authorities[component] = seal(
          survey.machines.contains { $0.issuing == found.old } ? found.old : found.new)
        surveyed.unfinished.append(
          UnfinishedRotation(
            component: component, old: seal(found.old), new: seal(found.new, request.rotation),
            phase: found.phase, finishObstacle: found.finishObstacle,
            returnObstacle: found.returnObstacle,
            isOldOver: ends[found.old].map { $0 <= clock.now() } ?? false,
            machines: survey.machines.map { $0.trust(found.old, found.new) }))
        surveyed.findings += found.foreign.map {
          Finding(.foreignAuthority, $0.machine.id, "\($0.machine.id) accepts \($0.authority)")
        }
      }
      if component == .talosCA,
        survey.common == nil
          || survey.common != surveyed.record.authorities[component]?.fingerprint
      {
        surveyed.talosObstacle = "the machines are not all reached by one Talos CA"
      }
    }
    surveyed.leftOut = LeftOutMachines(
      identities: request.leftOut.bound(to: request.known?.machines ?? []).identities.filter {
        !request.leftOut.beyond(request.known?.machines ?? []).contains($0.key)
      })
    surveyed.goneEndpoints = cluster.state.withLock { $0.goneEndpoints }
    if let access = request.access, !access.endpoints.isEmpty {
      surveyed.record.endpoints = access.endpoints
    }
    // A rotation that runs goes on with what it has verified.
    if !surveyed.unfinished.isEmpty, request.running == nil { cluster.changeHands() }
    return surveyed
  }

  private func keptKeys(
    _ component: SecretComponent, _ request: SurveyRequest
  ) -> [SealedAuthority] {
    let known = request.known
    return
      ([known?.authorities[component], known?.predecessors[component]].compactMap { $0 }
      + request.retired.authorities.filter { $0.binding.component == component })
      .filter(\.hasKey)
  }

  /// `…/first` is the oldest, `…/new-3` younger than `…/new-2`.
  private func age(_ fingerprint: String) -> Instant {
    let number = fingerprint.split(separator: "-").last.flatMap { Int64($0) }
    return Instant(secondsSince1970: number.map { $0 + 1 } ?? 0)
  }
}
