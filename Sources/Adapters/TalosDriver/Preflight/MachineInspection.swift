import Crypto
import Orchestrator
import Rotation

/// What one machine shows when all are asked whether a rotation can reach its end.
struct MachineInspection: Sendable {
  var machine: Machine
  var version: String
  var active: [UInt8]
  /// What is on disk; nil where Talos does not show it.
  var persistent: [UInt8]?
  var talos: TalosObservation
  /// Nil in a cluster without Kubernetes.
  var kubernetes: KubernetesObservation?
  /// What the machine's clock shows, and what this host's clock showed when it was asked.
  var clock: (machine: Instant, host: Instant)?
  /// Where the manager of a machine is that is managed over SideroLink; nil for one that is not.
  var sideroLink: String?
  /// Control planes: the members that this machine knows.
  var members: [ClusterMember] = []

  /// Overwrites the configurations, which hold keys.
  mutating func wipe() {
    active.wipe()
    persistent?.wipe()
    talos.configs.wipe()
    kubernetes?.configs.wipe()
  }

  static func read(
    _ client: TalosClient, _ machine: Machine, hasKubernetes: Bool,
    now: @Sendable () -> Int64
  ) async throws(TalosFailure) -> MachineInspection {
    let isControlPlane = machine.role == .controlPlane
    let configs = try await client.machineConfigs()
    async let version = TalosClient.outcome { () async throws(TalosFailure) in
      try await client.version()
    }
    async let kubernetes = TalosClient.outcome { () async throws(TalosFailure) in
      hasKubernetes
        ? try await KubernetesObservation.read(
          client, isControlPlane: isControlPlane, configs: configs) : nil
    }
    async let sideroLink = TalosClient.outcome { () async throws(TalosFailure) in
      try await client.sideroLinkEndpoint()
    }
    async let clock = (client.clock(), Instant(secondsSince1970: now()))
    async let members = TalosClient.outcome { () async throws(TalosFailure) in
      isControlPlane ? try await client.members() : []
    }
    let talos = try await TalosObservation.read(
      client, isControlPlane: isControlPlane, configs: configs)
    var seen = MachineInspection(
      machine: machine, version: try await version.get(), active: configs.active,
      persistent: configs.persistent, talos: talos, kubernetes: try await kubernetes.get())
    seen.sideroLink = try await sideroLink.get()
    let (shown, host) = await clock
    if let shown { seen.clock = (shown, host) }
    seen.members = try await members.get()
    return seen
  }
}

/// The authorities of the record, and those of a rehearsal that take their places.
struct PreflightContext: Sendable {
  /// The component that is to be rotated.
  var component: SecretComponent
  var options: RotationOptions
  /// What the record says that the machines issue from.
  var authorities: [SecretComponent: Certificate]
  /// A rotation of each component, with a new authority that is thrown away.
  var rehearsals: [ConfigRehearsal.Change]
  /// Now, by this host's clock.
  var now: Instant
  /// What the control planes' configurations issue from and accept.
  var ofPlanes: [SecretComponent: Set<Certificate>] = [:]
}
