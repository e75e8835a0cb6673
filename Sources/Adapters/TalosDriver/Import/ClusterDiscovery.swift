import Crypto
import Orchestrator
import Rotation

/// One import under way: from a talosconfig to the record of a cluster.
///
/// What discovery says of machines is no proof: every machine is asked itself, by its own node identity, and
/// every control plane has to hold the keys of the authorities it issues from.
struct ClusterDiscovery: Sendable {
  let driver: TalosDriver
  private(set) var context: TalosContext
  let name: String
  /// The machines; nil: those that cluster discovery knows.
  let listing: MachineListing?
  /// Members that need not answer.
  let leftOut: LeftOutMachines
  /// The machines on record, if the cluster is on record.
  let known: [Machine]
  /// Who this is towards the machines, the surest first; where machines do not agree whom to let in, there are several.
  private(set) var clients: [TLSClient]
  private var identities: [Identity]
  /// Who is being asked.
  let awaited = AwaitedMachines()
  /// What the clients come from.
  var credentials: FailureWords.Credentials = .talosconfig

  /// A machine with what an import has to know of it.
  struct Found: Sendable {
    var machine: Machine
    var version: TalosVersion
    var config: [UInt8]
    /// Of a control plane: the members that it knows.
    var members: [ClusterMember] = []
    /// The same by the name by which a person has said that it is gone; nil where nobody has.
    var meant: Machine?
    /// Through whom it answered, and to which client.
    var way: (relay: Machine, tls: TLSClient)?
  }

  init(
    driver: TalosDriver, context: TalosContext, name: String, listing: MachineListing? = nil,
    leftOut: LeftOutMachines = LeftOutMachines(), known: [Machine] = []
  ) {
    self.known = known
    self.leftOut = leftOut
    self.listing = listing
    self.driver = driver
    self.context = context
    self.name = name
    identities = [context.identity]
    clients = [TLSClient(identity: context.identity, roots: context.roots)]
  }

  /// The client of the talosconfig.
  var tls: TLSClient { clients[0] }

  /// Goes on with further clients, and trusts further authorities.
  mutating func admit(identities more: [Identity], roots: [Certificate]) {
    for root in roots where !context.roots.contains(root) && context.roots.count < 16 {
      context.roots.append(root)
    }
    for identity in more.prefix(16)
    where !identities.contains(where: { $0.certificate == identity.certificate }) {
      identities.append(identity)
    }
    clients = identities.map { TLSClient(identity: $0, roots: context.roots) }
  }

  func run() async throws(TalosFailure) -> DiscoveredCluster {
    let answers = try await reachEndpoints()
    var (found, settled) = try await findMachines(answers.members)
    // They hold keys.
    defer { for index in found.indices { found[index].config.wipe() } }
    let endpoints = try await requireCoverage(found, settled, answers)
    var machines: [Machine] = []
    for one in found { machines.append(one.machine) }
    let facts = try await ConfigFacts.read(found)
    var record = ClusterRecord(
      name: name, clusterID: facts.clusterID,
      endpoints: context.endpoints.map(\.description).filter { !endpoints.gone.contains($0) },
      kubernetesEndpoint: facts.kubernetesEndpoint, authorities: [:],
      machines: machines, isListed: listing != nil,
      talosVersion: found.map(\.version).min()?.description ?? "")
    var warnings = facts.warnings + settled.left + endpoints.notes
    if !settled.left.isEmpty {
      warnings.append(
        "as long as discovery knows whom was left out, name them to each rotation too (--leave-out)"
      )
    }
    warnings += unheeded(found, settled, endpoints)
    for component in SecretComponent.allCases {
      guard component == .talosCA || facts.hasKubernetes else { continue }
      let agreed = try await AgreedAuthority.find(component, found)
      record.authorities[component] = try await seal(agreed, component, found)
      warnings += agreed.warnings
    }
    try await rehearse(record, found)
    if facts.hasKubernetes {
      warnings += try await nodeWarnings(record)
    } else {
      warnings.append("this cluster runs no Kubernetes: only its Talos CA can be rotated")
      if listing != nil {
        warnings.append(
          "whether the list of machines is complete cannot be checked, because there are no Kubernetes nodes "
            + "to compare it with: a rotation locks out whatever is missing from the list")
      }
    }
    return DiscoveredCluster(record, warnings: warnings)
  }

  func unusable(_ code: DriverError.Code, _ message: String) -> TalosFailure {
    .unusable(DriverError(code, message))
  }

  /// Makes all edits of all stages of both components in memory, so that a cluster whose configurations
  /// cannot be edited is known before anybody counts on it.
  private func rehearse(
    _ record: ClusterRecord, _ found: [Found]
  ) async throws(TalosFailure) {
    do throws(DriverError) {
      var changes: [ConfigRehearsal.Change] = []
      for component in SecretComponent.allCases {
        guard let sealed = record.authorities[component] else { continue }
        let old = try driver.keyring.certificate(sealed)
        do throws(CryptoError) {
          changes.append(try .standIn(component, old: old, now: driver.now()))
        } catch {
          throw DriverError(.internalError, "an authority cannot be made: \(error.message)")
        }
      }
      for one in found { try await Self.rehearse(one, changes) }
    } catch { throw .unusable(error) }
  }

  @concurrent
  private static func rehearse(
    _ found: Found, _ changes: [ConfigRehearsal.Change]
  ) async throws(DriverError) {
    do throws(DriverError) {
      try ConfigRehearsal.run(
        found.config, role: found.machine.role, changes, removesForeign: true)
    } catch {
      throw DriverError(error.code, "\(found.machine.id): \(error.message)")
    }
  }

  /// What Kubernetes knows beyond the machines.
  ///
  /// - Throws: `.unreachable` where nothing but the nodes could tell whether a list of machines is complete.
  private func nodeWarnings(
    _ record: ClusterRecord
  ) async throws(TalosFailure) -> [String] {
    switch await driver.nodes(ClusterAccess(cluster: record)) {
    case .success(let nodes):
      return Coverage.nodes(nodes, of: record.machines).unmanaged.map {
        Coverage.unmanaged($0).message
      }
    case .failure(let error):
      guard listing == nil else {
        throw unusable(
          error.code,
          "the list of machines cannot be compared with the Kubernetes nodes: \(error.message)")
      }
      return ["the Kubernetes nodes could not be compared with the machines: \(error.message)"]
    }
  }
}
