public import Rotation

extension RotationOrchestrator {
  /// Takes a cluster into care, from nothing but a talosconfig.
  ///
  /// - Parameters:
  ///   - name: 1 to 63 lower-case letters, digits and `-`, not at either end.
  ///   - context: the talosconfig's context; nil or empty: its current one.
  /// - Throws: `.alreadyExists`, `.invalidArgument`, `.unsupportedVersion`, `.clusterUnreachable`,
  ///   `.credentialsRefused`, `.accessDenied`, `.clusterRefused`, `.journalUnavailable`.
  public func importCluster(
    name: String, talosconfig: String, context: String? = nil
  ) async throws(OrchestratorError) -> ClusterRecord {
    try requireStarted()
    try Arguments.newName(name)
    try Arguments.talosconfig(talosconfig, context: context)
    guard journal.cluster(name) == nil else { throw .taken(name) }
    var cluster: ClusterRecord
    do throws(DriverError) {
      cluster = try await driver.discover(
        name: name, talosconfig: talosconfig, context: context == "" ? nil : context)
    } catch {
      throw OrchestratorError(
        error, cluster: error.code == .invalidInput ? "talosconfig" : name)
    }
    cluster.name = name
    cluster.machines.sort(by: RolloutPolicy.precedes)
    cluster.importedAt = clock.now()
    cluster.activeRotation = nil
    cluster.rotationCount = 0
    do throws(StoreError) {
      cluster.revision = try await commit([.putCluster(cluster, expected: 0)], cluster: name)
    } catch {
      throw error.code == .conflict ? .taken(name) : OrchestratorError(error, cluster: name)
    }
    return cluster
  }

  /// - Throws: `.notFound`, `.invalidArgument`.
  public func cluster(_ name: String) throws(OrchestratorError) -> ClusterRecord {
    try known(name)
  }

  /// All clusters, in the order of their names.
  public func clusters() throws(OrchestratorError) -> [ClusterRecord] {
    try requireStarted()
    return journal.clusters()
  }

  /// Forgets the cluster, its authorities and its history. Touches no machine.
  ///
  /// - Throws: `.notFound`, `.invalidArgument`, `.rotationInProgress`, `.journalUnavailable`.
  public func forgetCluster(_ name: String) async throws(OrchestratorError) {
    let cluster = try known(name)
    guard cluster.activeRotation == nil else {
      throw OrchestratorError(
        .rotationInProgress, "a rotation of '\(name)' is in progress: wait until it is over",
        subject: name)
    }
    do throws(StoreError) {
      _ = try await commit([.removeCluster(name, expected: cluster.revision)], cluster: name)
    } catch {
      throw OrchestratorError(error, cluster: name)
    }
  }

  /// A fresh talosconfig that is good for `ttl`. During a rotation it works before and after each
  /// step.
  ///
  /// - Parameters:
  ///   - roles: the Talos roles it is good for; not empty.
  ///   - ttl: at most 366 days.
  /// - Throws: `.notFound`, `.invalidArgument`, or what the driver met.
  public func talosconfig(
    cluster name: String, roles: [String] = ["os:admin"], ttl: Duration
  ) async throws(OrchestratorError) -> String {
    let cluster = try known(name)
    try Arguments.validity(ttl)
    guard (1...16).contains(roles.count) else {
      throw .invalid("roles", "must be 1 to 16")
    }
    for role in roles { try Arguments.text(role, "roles", limit: 64) }
    do throws(DriverError) {
      return try await driver.talosconfig(access(cluster), roles: roles, ttl: ttl)
    } catch {
      throw OrchestratorError(error, cluster: error.code == .invalidInput ? "roles" : name)
    }
  }

  /// A fresh administrator's kubeconfig that is good for `ttl`, at most 366 days.
  ///
  /// - Throws: `.notFound`, `.invalidArgument`, or what the driver met.
  public func kubeconfig(
    cluster name: String, ttl: Duration
  ) async throws(OrchestratorError) -> String {
    let cluster = try known(name)
    try Arguments.validity(ttl)
    do throws(DriverError) {
      return try await driver.kubeconfig(access(cluster), ttl: ttl)
    } catch {
      throw OrchestratorError(error, cluster: name)
    }
  }

  /// When a credential of the component ends that is issued now for `ttl`: with its authority at the latest.
  ///
  /// - Throws: `.notFound`, `.invalidArgument`.
  public func credentialExpiry(
    cluster name: String, component: SecretComponent, ttl: Duration
  ) throws(OrchestratorError) -> Instant {
    let wanted = clock.now().advanced(by: ttl)
    let last = driver.issuerExpiry(component, access: access(try known(name)))
    return last.map { min($0, wanted) } ?? wanted
  }
}
