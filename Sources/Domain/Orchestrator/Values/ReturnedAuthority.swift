public import Rotation

/// A retired authority that somebody has put back into a machine's configuration: Terraform, GitOps, a restored backup,
/// a person. Whoever holds a credential of it is let in there again.
public struct ReturnedAuthority: Sendable, Hashable {
  /// The machine's name.
  public var machine: String
  public var component: SecretComponent
  public var fingerprint: String
  /// When it was first seen there.
  public var since: Instant

  public init(machine: String, component: SecretComponent, fingerprint: String, since: Instant) {
    self.machine = machine
    self.component = component
    self.fingerprint = fingerprint
    self.since = since
  }
}

/// Authorities that no machine may accept any more, the newest first.
public struct RetiredAuthorities: Sendable, Hashable {
  /// None twice; each is of the component that its binding names.
  public private(set) var authorities: [SealedAuthority]

  public init(_ authorities: [SealedAuthority] = []) {
    self.authorities = []
    for authority in authorities { add(authority) }
  }

  /// What the rotations of a cluster, the newest first, have retired, and the cluster does not use again.
  init(of cluster: ClusterRecord, _ rotations: [RotationRecord]) {
    authorities = []
    for rotation in rotations {
      switch rotation.state {
      case .succeeded: add(rotation.old)
      case .aborted(_, _?): add(rotation.new)
      case .assembling, .rolling, .gating, .failed, .aborted(_, nil): break
      }
    }
    authorities.removeAll { retired in
      cluster.authorities.values.contains { $0.fingerprint == retired.fingerprint }
    }
  }

  private mutating func add(_ authority: SealedAuthority) {
    guard !authorities.contains(where: { $0.fingerprint == authority.fingerprint }) else { return }
    authorities.append(authority)
  }

  mutating func add(_ others: RetiredAuthorities) {
    for authority in others.authorities { add(authority) }
  }

  public var isEmpty: Bool { authorities.isEmpty }

  /// By component, the fingerprints.
  public var fingerprints: [SecretComponent: Set<String>] {
    authorities.reduce(into: [:]) {
      $0[$1.binding.component, default: []].insert($1.fingerprint)
    }
  }
}

/// A retired authority as a machine's configuration holds it.
public struct RetiredSighting: Sendable, Hashable {
  public var component: SecretComponent
  public var fingerprint: String

  public init(_ component: SecretComponent, _ fingerprint: String) {
    self.component = component
    self.fingerprint = fingerprint
  }
}

extension ClusterRecord {
  /// What has returned after a new look: of machines that were not seen the last look stands.
  func returned(
    after sightings: [String: Set<RetiredSighting>], at now: Instant
  ) -> [ReturnedAuthority] {
    let members = Set(machines.map(\.id))
    var all = returned.filter { sightings[$0.machine] == nil && members.contains($0.machine) }
    for (machine, seen) in sightings {
      for sighting in seen {
        let known = returned.first {
          $0.machine == machine && $0.component == sighting.component
            && $0.fingerprint == sighting.fingerprint
        }
        all.append(
          known
            ?? ReturnedAuthority(
              machine: machine, component: sighting.component,
              fingerprint: sighting.fingerprint, since: now))
      }
    }
    return all.sorted {
      ($0.machine, $0.component.rawValue, $0.fingerprint)
        < ($1.machine, $1.component.rawValue, $1.fingerprint)
    }
  }
}

extension ReturnedAuthority {
  /// What it means and what to do, in a line.
  public func explanation(cluster: String) -> String {
    "\(machine) accepts the retired \(component.rawValue) \(fingerprint.prefix(12)) again: somebody has put it back "
      + "into its configuration (Terraform, GitOps, a backup); give them the present one (omnictl cluster -n "
      + "\(cluster) secrets export), then omnictl cluster -n \(cluster) secret rotate adopt --heal takes it out"
  }
}
