/// Snapshots of one cluster, or of all, as they change; made by `RotationOrchestrator.watch`.
///
/// The present state comes first, then every newer one, with strictly rising revisions. A reader that
/// is so slow that a few hundred snapshots pile up misses intermediate ones, never the newest of a
/// cluster. Ends with nil when its task is cancelled or, with `stopWhenIdle`, once nothing is under
/// way; ends with an error when the journal cannot be written (`.journalUnavailable`: watch again
/// after the last revision), the cluster has been forgotten (`.notFound`) or the orchestrator stops
/// (`.shuttingDown`).
///
/// To be iterated once, by one task.
public struct RotationWatch: AsyncSequence, Sendable {
  public typealias Element = RotationSnapshot
  public typealias Failure = OrchestratorError

  let subscription: Subscription

  public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

  public struct Iterator: AsyncIteratorProtocol {
    let subscription: Subscription

    public mutating func next(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(OrchestratorError) -> RotationSnapshot? {
      try await nextUpdate(isolation: actor)?.snapshot
    }

    /// The same, with what is known of the change.
    public mutating func nextUpdate(
      isolation actor: isolated (any Actor)? = #isolation
    ) async throws(OrchestratorError) -> RotationUpdate? {
      try await subscription.hub.next(subscription.id)
    }
  }
}
