import Crypto
import Orchestrator
import Rotation
import Synchronization

/// Whether a control plane that shows the authority that goes may be given the key of the one that stays.
///
/// From the stage on in which machines refuse an authority, a control plane that issues from that authority was given its
/// whole old configuration again, or somebody who has that authority's key answers in its place. The key of the etcd CA
/// tells the two apart, because rotations leave that CA alone. Whoever has stolen a control plane's configuration has
/// that key, too.
extension TalosDriver {
  /// - Throws: `.unusable` with a conflict for a control plane that issues from the authority that goes and does not hold the
  ///   key of the etcd CA of another control plane; where another cannot be asked, why.
  func requireGenuine(
    _ config: [UInt8], _ change: TrustChange, _ wanted: WantedTrust, _ machine: Machine,
    _ access: ClusterAccess
  ) async throws(TalosFailure) {
    guard change.component == .talosCA, machine.role == .controlPlane else { return }
    let shown = try await PlaneSecrets(config)
    guard change.dropsAuthority, let issuing = shown.issuing, issuing != wanted.issuing else {
      if let etcd = shown.etcd, shown.issuing != nil {
        notes.withLock { _ = $0.etcdAuthorities[access.cluster.name, default: []].insert(etcd) }
      }
      return
    }
    guard let etcd = shown.etcd else { throw Self.doubtful(machine, issuing) }
    if notes.withLock({ $0.etcdAuthorities[access.cluster.name]?.contains(etcd) }) == true {
      return
    }
    let isVouchedFor = try await anotherPlane(than: machine, access) {
      config async throws(TalosFailure) in
      let shown = try await PlaneSecrets(config)
      // Only who holds the key of the authority that stays can vouch for somebody.
      return shown.issuing == wanted.issuing && shown.etcd == etcd
    }
    guard isVouchedFor else { throw Self.doubtful(machine, issuing) }
  }

  private static func doubtful(_ machine: Machine, _ issuing: Certificate) -> TalosFailure {
    .unusable(
      DriverError(
        .conflict,
        "\(machine.id) issues from \(ForeignAuthority.name(issuing)), which this stage retires: it was given its old "
          + "configuration again, or somebody who has that CA's key answers in its place, and no other control plane "
          + "shows the etcd CA whose key it holds, so no key is sent to it; whoever can see the machine itself (its "
          + "console, not the network) makes sure that it is the one, and applies its present configuration with a "
          + "talosconfig from before the rotation, or resets it and has it join anew"))
  }
}

/// The authorities of a control plane's configuration whose keys it holds.
private struct PlaneSecrets {
  /// The Talos CA that it issues from.
  var issuing: Certificate?
  var etcd: Certificate?

  @concurrent
  init(_ config: [UInt8]) async throws(TalosFailure) {
    do throws(DriverError) {
      let config = try MachineConfig(config)
      let trust = try config.writtenTrust(.talosCA)
      if let issuing = trust.issuing, let key = trust.issuingKey,
        KeyProof.holds(key, for: issuing)
      {
        self.issuing = issuing
      }
      etcd = config.provenEtcdAuthority
    } catch { throw .unusable(error) }
  }
}
