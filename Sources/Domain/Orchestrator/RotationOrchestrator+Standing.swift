public import Rotation

/// Whether the records are what the machines live by. A store that was restored from a backup may be older
/// than they are; nothing is issued then from an authority that they no longer use.
extension RotationOrchestrator {
  /// What a person has to know of the cluster: authorities that have expired, a record that is older than
  /// the machines, control planes that did not answer when they were asked last. A line each.
  public func warnings(_ cluster: ClusterRecord) -> [String] {
    var lines: [String] = []
    switch standings[cluster.name] {
    case .outdated(_, let reason)?, .overtaken(_, let reason)?: lines.append(reason)
    // A rotation that is under way tells itself whom it waits for.
    case .unknown(let reason)? where cluster.activeRotation == nil:
      lines.append("no control plane could be asked: \(reason)")
    case .unknown?, .current?, nil: break
    }
    let now = clock.now()
    for component in SecretComponent.allCases {
      guard let authority = cluster.authorities[component],
        let description = driver.describe(authority)
      else { continue }
      if description.notAfter <= now {
        lines.append(
          "the \(component.rawValue) \(authority.fingerprint.prefix(12)) expired on "
            + "\(description.notAfter)")
      } else if description.notBefore > now {
        lines.append(
          "the \(component.rawValue) \(authority.fingerprint.prefix(12)) is not valid before "
            + "\(description.notBefore): set this host's clock right")
      }
    }
    return lines
  }

  /// The clusters whose records are older than the machines, as far as that has been asked.
  public var outdatedClusters: Set<String> {
    Set(
      standings.filter { $0.value.fault != nil }.map(\.key))
  }

  /// The authorities of a cluster with what a person wants to know of each.
  public func authorities(
    _ cluster: ClusterRecord
  ) -> [(SecretComponent, SealedAuthority, AuthorityDescription)] {
    SecretComponent.allCases.compactMap { component in
      guard let authority = cluster.authorities[component],
        let description = driver.describe(authority)
      else { return nil }
      return (component, authority, description)
    }
  }

  /// Asks the machines of every cluster, a few clusters at a time.
  func survey(_ names: [String]) async {
    let atOnce = 8
    await withTaskGroup(of: Void.self) { group in
      var rest = names[...]
      for name in rest.prefix(atOnce) { group.addTask { await self.look(name) } }
      rest = rest.dropFirst(atOnce)
      while await group.next() != nil {
        guard !Task.isCancelled, let name = rest.popFirst() else { continue }
        group.addTask { await self.look(name) }
      }
    }
  }

  /// Asks the machines of one cluster.
  @discardableResult
  func look(_ name: String) async -> ClusterStanding {
    guard let cluster = journal.cluster(name) else { return .current }
    let access = access(cluster)
    let standing = await driver.standing(access)
    // Only of the record that was compared: a rotation may have ended, or gone on to its next stage, meanwhile.
    guard let now = journal.cluster(name), now.authorities == cluster.authorities,
      self.access(now).rotation == access.rotation
    else { return .unknown("the record has changed while the machines were asked") }
    standings[name] = standing
    standingsSeenAt[name] = clock.uptime()
    return standing
  }

  /// - Throws: `.recordOutdated` if the machines do not use the component's authority any more, and for every component
  ///   if they do not use the Talos CA: whoever cannot ask them by it does not know what else has been rotated since.
  ///   Where they do not answer the credential is issued: it may be what a person needs to reach them.
  func requireCurrent(
    _ cluster: ClusterRecord, _ component: SecretComponent
  ) async throws(OrchestratorError) {
    var standing = standings[cluster.name]
    // What was outdated or out of reach may have been put right since, and another tool may have rotated.
    let age = standingsSeenAt[cluster.name].map { clock.uptime() - $0 }
    if standing != .current || (age ?? .seconds(60)) > .seconds(5) {
      standing = await look(cluster.name)
    }
    guard let fault = standing?.fault, fault.component == component || fault.component == .talosCA
    else { return }
    throw OrchestratorError(.recordOutdated, fault.reason, subject: cluster.name)
  }
}
