/// What is answered while the journal is being read as a whole, or is about to be.
///
/// The answers come from single records, each of which the store believes only when it is one that was written into its
/// place. That a record is the newest one, and that none is missing, is known at the end. So an answer that says that
/// something is not there waits for the end, and so does everything that changes something or hands a credential out.
extension RotationOrchestrator {
  /// - Returns: nil once the journal has been read: the answer has to come from there.
  func early(cluster name: String) async throws(OrchestratorError) -> ClusterRecord? {
    guard isOpening else { return nil }
    do throws(StoreError) {
      if let cluster = try await journal.store.cluster(name) { return cluster }
    } catch {
      throw OrchestratorError(error, cluster: name)
    }
    return await opened()
  }

  /// How the rotation stands of a cluster that was read early.
  func early(status cluster: ClusterRecord) async throws(OrchestratorError) -> RotationSnapshot? {
    guard isOpening else { return nil }
    do throws(StoreError) {
      let newest = try await journal.store.rotations(
        cluster: cluster.name, before: nil, limit: 1
      ).first
      // The cluster's own record says which one has to be there.
      if newest?.ordinal ?? 0 == cluster.rotationCount {
        return RotationSnapshot(cluster: cluster, rotation: newest)
      }
    } catch {
      throw OrchestratorError(error, cluster: cluster.name)
    }
    return await opened()
  }

  /// A page that is not the last one: the last one says that there are no more clusters.
  func early(page request: PageRequest) async throws(OrchestratorError) -> ClusterPage? {
    guard isOpening else { return nil }
    do throws(StoreError) {
      let clusters = try await journal.store.clusters(
        after: request.after, limit: request.limit + 1)
      if clusters.count > request.limit { return ClusterPage(clusters, request) }
    } catch {
      throw OrchestratorError(error)
    }
    return await opened()
  }

  /// Waits until the journal has been read, or cannot be.
  private func opened<Answer>() async -> Answer? {
    await awaitOpening()
    return nil
  }
}
