public import Crypto
public import Orchestrator
public import Rotation
import Synchronization

/// How patiently the driver asks.
public struct TalosDriverSettings: Sendable {
  /// How long one call may take.
  public var callTimeout: Duration = .seconds(10)
  /// For how long a call is repeated while a machine takes up a new configuration.
  public var retryWindow: Duration = .seconds(5)
  /// For how long a configuration is offered while the machine is busy, before the caller is told. It
  /// offers again, and says so where people look: a machine that is down should not be silent for long.
  public var applyWindow: Duration = .seconds(3)
  /// The pause between two tries.
  public var retryDelay: Duration = .milliseconds(200)
  /// How long the certificates live that the driver uses itself.
  public var credentialLifetime: Duration = .seconds(4 * 3600)
  /// For how long a look goes on while something is merely not there yet.
  public var lookWindow: Duration = .seconds(2)
  /// The same where the answer before has told already what is not there yet.
  public var longLookWindow: Duration = .seconds(8)
  /// The pause before the second look; it doubles with each, up to the longest.
  public var firstLookPause: Duration = .milliseconds(50)
  public var longestLookPause: Duration = .milliseconds(400)
  /// The pause between two looks while a machine is watched that shows no change, and not everything that is waited for
  /// would be shown.
  public var watchedPause: Duration = .seconds(1)
  /// How long a change that a watch shows is waited with for others, before a look.
  public var changePause: Duration = .milliseconds(20)
  /// How long an import may take in all.
  public var importTimeout: Duration = .seconds(45)
  /// How long one of its machines may take, all ways to it together.
  public var memberTimeout: Duration = .seconds(15)
  /// For how long machines are asked whether the record is what they live by.
  public var standingTimeout: Duration = .seconds(5)
  /// For how long it is asked whose processes lead.
  public var leaderTimeout: Duration = .seconds(2)
  /// How many machines are asked at the same time where all are.
  public var concurrency = 8
  /// The port of the kubelet's own API; nil: do not probe it.
  public var kubeletPort: Int? = 10250
  /// For how long a control plane may show no static pods before it counts as one that never does: a kubelet that restarts
  /// them takes them away for a moment.
  public var podlessGrace: Duration = .seconds(60)
  /// How long an API server's port counts that a configuration named lately, although nobody answers there.
  public var portRereading: Duration = .seconds(30)
  /// How long a probe waits for a port that may well be firewalled.
  public var probeTimeout: Duration = .seconds(2)

  public init() {}
}

/// Reaches Talos machines over the machine API, and the Kubernetes API servers they run.
///
/// Holds no connection and no state that a restart would miss: certificates it uses itself, and notes
/// on which way worked last.
public final class TalosDriver: Sendable {
  let settings: TalosDriverSettings
  let keyring: Keyring
  let now: @Sendable () -> Int64
  let notes = Mutex<Notes>(Notes())

  /// What makes the next call faster or more patient; nothing depends on it.
  struct Notes {
    /// The control plane that answered last, by cluster.
    var relay: [String: String] = [:]
    /// API server ports, by cluster and node identity.
    var apiServerPorts: [String: APIServerPort] = [:]
    /// When time stamps of machines were first seen: see `Freshness`.
    var stamps: [String: (stamp: Instant, since: ContinuousClock.Instant)] = [:]
    /// What has come back of what a rotation does not wait for, by cluster.
    var recovered: [String: Recovered] = [:]
    /// The etcd CAs whose keys control planes have held while their Talos CA was accepted, by cluster.
    var etcdAuthorities: [String: Set<Certificate>] = [:]
    /// Since when Kubernetes shows no static pods of a control plane, by machine address.
    var withoutPods: [String: ContinuousClock.Instant] = [:]
    /// What was waited for in the last answers.
    var told = Told()
  }

  /// - Parameters:
  ///   - sealer: encrypts and decrypts the authorities' keys.
  ///   - now: the wall-clock time in Unix seconds.
  public init(
    sealer: Sealer, settings: TalosDriverSettings = TalosDriverSettings(),
    now: @escaping @Sendable () -> Int64
  ) {
    self.settings = settings
    self.now = now
    keyring = Keyring(
      sealer: sealer, lifetime: settings.credentialLifetime.components.seconds, now: now)
  }
}

extension TalosDriver: ClusterDriver {
  public func makeAuthority(
    _ binding: AuthorityBinding, earliestClock: Instant?
  ) async throws(DriverError) -> SealedAuthority {
    let authority: Authority
    let now = min(now(), earliestClock?.secondsSince1970 ?? .max)
    do throws(CryptoError) {
      authority = try Authority.generate(
        binding.component == .talosCA ? .talos : .kubernetes, now: now)
    } catch {
      throw DriverError(.internalError, "an authority cannot be made: \(error.message)")
    }
    return try keyring.seal(authority, for: binding)
  }

  public func talosconfig(
    _ access: ClusterAccess, roles: [String], ttl: Duration
  ) async throws(DriverError) -> ClientConfiguration {
    let known: Set<String> = [
      "os:admin", "os:operator", "os:reader", "os:etcd:backup", "os:image:verifier",
      "os:meta:writer",
    ]
    let roles = roles.isEmpty ? ["os:admin"] : roles
    for role in roles where !known.contains(role) {
      throw DriverError(
        .invalidInput, "\(PeerText.clean(role)) is no role; there are \(known.sorted())")
    }
    let trust = try ClusterTrust(.talosCA, access, keyring)
    let identity = try keyring.issue(
      .talos(roles: roles), from: trust.signers[0], seconds: try seconds(ttl))
    let endpoints = access.cluster.endpoints.compactMap { TalosEndpoint($0) }
    return ClientConfiguration(
      Talosconfig.text(
        context: access.cluster.name, endpoints: endpoints, roots: trust.roots, identity: identity),
      serial: identity.certificate.serialHex, authority: trust.signers[0].fingerprint)
  }

  public func kubeconfig(
    _ access: ClusterAccess, ttl: Duration
  ) async throws(DriverError) -> ClientConfiguration {
    let trust = try ClusterTrust(.kubernetesCA, access, keyring)
    let identity = try keyring.issue(
      .kubernetesAdmin, from: trust.signers[0], seconds: try seconds(ttl))
    return ClientConfiguration(
      Kubeconfig.text(
        cluster: access.cluster.name, server: access.cluster.kubernetesEndpoint, roots: trust.roots,
        identity: identity),
      serial: identity.certificate.serialHex, authority: trust.signers[0].fingerprint)
  }

  public func issuerExpiry(_ component: SecretComponent, access: ClusterAccess) -> Instant? {
    guard let trust = try? ClusterTrust(component, access, keyring),
      let certificate = try? keyring.certificate(trust.signers[0])
    else { return nil }
    return Instant(secondsSince1970: certificate.notAfter)
  }

  /// A certificate's life: between a minute and a year.
  private func seconds(_ ttl: Duration) throws(DriverError) -> Int64 {
    let seconds = ttl.components.seconds
    guard (60...366 * 86_400).contains(seconds) else {
      throw DriverError(.invalidInput, "a credential lives between a minute and a year")
    }
    return seconds
  }
}
