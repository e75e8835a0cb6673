import Crypto
import Orchestrator
import Rotation

extension MachineInspection {
  /// What of this machine keeps a rotation from reaching its end.
  @concurrent
  func findings(_ context: PreflightContext) async -> [Finding] {
    var findings = await generalFindings()
    guard findings.allSatisfy({ $0.kind != .unsupportedVersion }) else { return findings }
    if context.options.tryTimeout != nil, persistent == nil {
      findings.append(
        Finding(.unsupportedVersion, machine.id, TrialSupport.missing(machine.id)))
    }
    findings += trustFindings(context)
    if findings.allSatisfy({ $0.kind != .rotatedElsewhere && $0.kind != .missingKey }) {
      findings += editFindings(context)
    }
    return findings
  }

  /// What has nothing to do with which authorities the machine holds.
  @concurrent
  func generalFindings() async -> [Finding] {
    var findings: [Finding] = []
    func add(_ kind: Finding.Kind, _ message: String) {
      findings.append(Finding(kind, machine.id, message))
    }
    guard let version = TalosVersion(tag: version), version.isSupported else {
      add(
        .unsupportedVersion,
        "\(machine.id) runs Talos \(PeerText.clean(self.version)); rotating CAs needs "
          + "\(TalosVersion.oldestSupported) or later: upgrade it first")
      return findings
    }
    if let persistent, await PendingConfig.isPending(active: active, persistent: persistent) {
      add(.pendingConfig, PendingConfig.text(machine.id))
    }
    if let skew { add(.clock, skew) }
    if let owner = ConfigurationOwner.omni(machine, config: active, endpoint: sideroLink) {
      findings.append(owner)
    }
    return findings
  }

  /// What differs between the machine's clock and this host's, if it is more than a minute.
  private var skew: String? {
    guard let clock else { return nil }
    let ahead = clock.host.duration(to: clock.machine)
    guard ahead > .seconds(60) || ahead < .seconds(-60) else { return nil }
    return
      "the clock of \(machine.id) says \(clock.machine), this host's \(clock.host): set the wrong one "
      + "right, because certificates would not be valid yet, or no longer"
  }

  private func trustFindings(_ context: PreflightContext) -> [Finding] {
    SecretComponent.allCases.flatMap { component -> [Finding] in
      guard let authority = context.authorities[component] else { return [] }
      return issuingFindings(component, authority, context)
        + foreignFindings(component, authority, context)
    }
  }

  /// Takes in what a control plane's configuration holds.
  func addAuthorities(to context: inout PreflightContext) {
    for component in SecretComponent.allCases {
      guard let trust = try? MachineConfig(active).trust(component) else { continue }
      context.ofPlanes[component, default: []].formUnion(trust.written)
    }
  }

  private func issuingFindings(
    _ component: SecretComponent, _ authority: Certificate, _ context: PreflightContext
  ) -> [Finding] {
    let trust: ConfiguredTrust
    do throws(DriverError) {
      trust = try MachineConfig(active).trust(component)
    } catch {
      return [Finding(.uneditableConfig, machine.id, "\(machine.id): \(error.message)")]
    }
    let inUse = component == .talosCA ? talos.issuing : kubernetes?.issuing
    // What a worker names alone is no rotation: whoever owns the one machine has written it there.
    let isWorker = machine.role == .worker
    let other = [trust.issuing, inUse].lazy.compactMap { $0 }.first {
      $0 != authority && (!isWorker || context.ofPlanes[component]?.contains($0) == true)
    }
    if let other {
      return [
        Finding(
          .rotatedElsewhere, machine.id,
          "\(machine.id) issues from \(ForeignAuthority.name(other)), the record has "
            + "\(authority.fingerprint.prefix(12)): the \(component.rawValue) has been rotated since, by "
            + "another tool or another omnid; take it over (omnictl cluster adopt)"
        )
      ]
    }
    guard machine.role == .controlPlane else { return [] }
    guard let key = trust.issuingKey, KeyProof.holds(key, for: authority) else {
      return [
        Finding(
          .missingKey, machine.id,
          "\(machine.id) is a control plane, but its configuration does not hold the private key of the "
            + "\(component.rawValue) it issues from: no key is sent to it; set it up with this cluster's "
            + "secrets, or remove it")
      ]
    }
    return []
  }

  /// Authorities that are not the cluster's, wherever the machine lists or uses them.
  private func foreignFindings(
    _ component: SecretComponent, _ authority: Certificate, _ context: PreflightContext
  ) -> [Finding] {
    let configured = (try? MachineConfig(active).trust(component)).map {
      SeenTrust($0.written, unreadable: $0.unreadable)
    }
    let used: [SeenTrust?] =
      component == .talosCA
      ? [talos.rootAccepted, talos.api?.accepted, talos.trustd?.accepted]
      : [kubernetes?.rootAccepted, kubernetes?.kubeletAccepted]
    let lists = ([configured] + used).compactMap { $0 }
    if lists.contains(where: { $0.unreadable > 0 }) {
      return [
        Finding(
          .uneditableConfig, machine.id,
          "\(machine.id) lists accepted CAs of the \(component.rawValue) that cannot be read, or that a "
            + "missing line break joins: end every PEM block with a line break, and take out what is no "
            + "certificate")
      ]
    }
    var seen: Set<Certificate> = [authority]
    return lists.flatMap(\.certificates).filter { seen.insert($0).inserted }.map { foreign in
      let listed = configured?.certificates.contains(foreign) == true
      let place =
        listed ? "its configuration lists it" : "no list of its own names it: a trustd hands it on"
      let way = ForeignAuthority.wayOut(of: component, context)
      return Finding(
        .foreignAuthority, machine.id,
        "\(machine.id) accepts \(ForeignAuthority.name(foreign)) beside the \(component.rawValue) "
          + "(\(place)): an intruder, or another rotation, has added it; \(way)")
    }
  }

  /// Makes all edits of all stages in memory.
  private func editFindings(_ context: PreflightContext) -> [Finding] {
    let changes = context.rehearsals.filter { change in
      change.component == .talosCA || kubernetes != nil
    }
    do throws(DriverError) {
      try ConfigRehearsal.run(active, role: machine.role, changes, removesForeign: true)
      return []
    } catch {
      return [Finding(.uneditableConfig, machine.id, "\(machine.id): \(error.message)")]
    }
  }
}
