public import Rotation

/// Rotates the authorities of the imported clusters, whatever happens in between.
public actor RotationOrchestrator {
  public init(
    store: any RotationStore, driver: any ClusterDriver, clock: any OrchestratorClock,
    rules: RotationRules = RotationRules(), executor: (any TaskExecutor)? = nil
  ) {
    fatalError("lands with the next commit")
  }

  /// Reads the journal and takes up every rotation that was not finished.
  public func start() async throws(OrchestratorError) { fatalError() }

  /// Lets the effects in flight end and does nothing more. What was under way goes on at the next
  /// `start`. Watches end with `.shuttingDown`.
  public func stop() async { fatalError() }

  /// Starts a rotation of the component, or attaches to the one that runs.
  public func rotate(
    cluster: String, component: SecretComponent, dryRun: Bool = false, requestID: String = "",
    reason: String = "", requester: String = ""
  ) async throws(OrchestratorError) -> RotationTicket { fatalError() }

  public func status(cluster: String) async throws(OrchestratorError) -> RotationSnapshot {
    fatalError()
  }

  public func history(
    cluster: String, pageSize: Int = 0, pageToken: String = ""
  ) async throws(OrchestratorError) -> RotationPage { fatalError() }

  /// A snapshot first, then every newer revision. Empty or nil `cluster`: all clusters.
  public nonisolated func watch(
    cluster: String? = nil, afterRevision: Revision = 0, stopWhenIdle: Bool = false
  ) throws(OrchestratorError) -> RotationWatch { fatalError() }

  public func importCluster(
    name: String, talosconfig: String, context: String? = nil
  ) async throws(OrchestratorError) -> ClusterRecord { fatalError() }

  public func cluster(_ name: String) async throws(OrchestratorError) -> ClusterRecord {
    fatalError()
  }
  public func clusters() async throws(OrchestratorError) -> [ClusterRecord] { fatalError() }
  public func forgetCluster(_ name: String) async throws(OrchestratorError) { fatalError() }

  public func talosconfig(
    cluster: String, roles: [String] = ["os:admin"], ttl: Duration
  ) async throws(OrchestratorError) -> String { fatalError() }

  public func kubeconfig(
    cluster: String, ttl: Duration
  ) async throws(OrchestratorError) -> String { fatalError() }
}

/// Snapshots of one cluster, or of all, as they change; made by `RotationOrchestrator.watch`.
public struct RotationWatch: AsyncSequence, Sendable {
  public typealias Element = RotationSnapshot
  public typealias Failure = OrchestratorError

  public func makeAsyncIterator() -> Iterator { fatalError() }

  public struct Iterator: AsyncIteratorProtocol {
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(OrchestratorError) -> RotationSnapshot? { fatalError() }
  }
}
