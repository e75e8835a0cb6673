import Rotation

extension RotationOrchestrator {
  /// The report of a rotation that is over: what its last look has shown of every machine, its timeline, and who asked for
  /// it. The same text each time.
  ///
  /// - Parameter rotationID: empty: the newest.
  /// - Throws: `.notFound`, `.rotationNotFound`, `.invalidArgument`; `.noReport` for a rotation that is under way, has
  ///   touched no machine, or was carried out by a release that kept no report; `.journalUnavailable`.
  public func report(
    cluster name: String, rotationID: String = ""
  ) async throws(OrchestratorError) -> String {
    let rotation = try await rotation(of: name, rotationID)
    guard let report = RotationReport(rotation) else {
      let reason =
        !rotation.state.isFinal
        ? "is not over" : rotation.state.stage == nil ? "has touched no machine" : "kept none"
      throw OrchestratorError(
        .noReport, "there is no report of rotation \(rotation.id): it \(reason)", subject: name)
    }
    return report.text
  }

  /// The authority that a rotation has retired, with its key: what a person needs to open what was sealed or signed
  /// with it.
  ///
  /// - Throws: `.notFound`, `.rotationNotFound`, `.invalidArgument`; `.notRetired` for a rotation that has retired none
  ///   or is under way, and for an authority that is in use again; `.journalUnavailable`, or what the
  ///   driver met.
  public func retiredAuthority(
    cluster name: String, rotationID: String
  ) async throws(OrchestratorError) -> (authority: SealedAuthority, opened: OpenedAuthority) {
    let cluster = try known(name)
    let rotation = try await rotation(of: name, rotationID)
    let retired: SealedAuthority
    switch rotation.state {
    case .succeeded: retired = rotation.old
    case .aborted(_, _?): retired = rotation.new
    case .assembling, .rolling, .gating, .failed, .aborted(_, nil):
      throw OrchestratorError(
        .notRetired, "rotation \(rotation.id) has retired no CA", subject: name)
    }
    guard cluster.authorities[rotation.component]?.fingerprint != retired.fingerprint else {
      throw OrchestratorError(
        .notRetired,
        "the CA \(retired.fingerprint.prefix(12)) is in use: secrets export has it", subject: name)
    }
    guard retired.hasKey else {
      throw OrchestratorError(
        .notRetired,
        "the key of the CA \(retired.fingerprint.prefix(12)) is not known here: the rotation was taken over from "
          + "somebody else", subject: name)
    }
    do throws(DriverError) { return (retired, try await driver.opened(retired)) } catch {
      throw OrchestratorError(error, cluster: name)
    }
  }

  /// A rotation of the cluster.
  ///
  /// - Parameter rotationID: empty: the newest.
  private func rotation(
    of name: String, _ rotationID: String
  ) async throws(OrchestratorError) -> RotationRecord {
    let cluster = try known(name) {
      $0.text(rotationID, "rotation_id", limit: Arguments.requestIDLimit)
    }
    var found = journal.rotation(cluster: name)
    if !rotationID.isEmpty, found?.id != rotationID {
      do throws(StoreError) { found = try await journal.store.rotation(rotationID) } catch {
        throw OrchestratorError(error, cluster: name)
      }
    }
    guard let found, found.cluster == cluster.name else {
      throw OrchestratorError(
        .rotationNotFound,
        rotationID.isEmpty
          ? "'\(name)' has never been rotated"
          : "'\(name)' has no rotation \(rotationID.bounded(to: 64)): see its history",
        subject: name)
    }
    return found
  }
}
