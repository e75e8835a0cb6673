/// Reading a machine's resources, and watching them.
extension SimulatedNode {
  func resource(_ key: ResourceStore.Key) -> ResourceStore.Resource? { resources.get(key) }

  func resourceList(namespace: String, type: String) -> [ResourceStore.Resource] {
    resources.list(namespace: namespace, type: type)
  }

  /// The present resources of a kind with the place in its log that fits them.
  func resourceSnapshot(
    namespace: String, type: String
  ) -> (resources: [ResourceStore.Resource], end: Int) {
    (
      resources.list(namespace: namespace, type: type),
      resources.end(namespace: namespace, type: type)
    )
  }

  /// What happened from a place of a kind's log on; waits until something did. The place that comes with it is
  /// where to go on, even if nothing of what happened was of interest.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  func resourceEvents(
    from place: Int, namespace: String, type: String, id: String?
  ) async throws -> (ResourceStore.Continuation, next: Int) {
    while true {
      let seen = resources.changes
      guard resources.end(namespace: namespace, type: type) == place else { break }
      try await resourceChange(after: seen)
    }
    let found = resources.events(from: place, namespace: namespace, type: type, id: id)
    return (found, resources.end(namespace: namespace, type: type))
  }

  /// Waits until some resource has changed since there were so many changes.
  private func resourceChange(after seen: UInt64) async throws {
    let ticket = nextWaiter
    nextWaiter += 1
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // Looked at once more: a task that prefers another executor than the actor's is scheduled anew on its
        // way here, and everything there is to wait for may have happened meanwhile.
        if Task.isCancelled || resources.changes != seen {
          continuation.resume()
        } else {
          resourceWaiters[ticket] = continuation
        }
      }
    } onCancel: {
      Task { await self.stopWaiting(ticket) }
    }
    try Task.checkCancellation()
  }

  private func stopWaiting(_ ticket: UInt64) {
    resourceWaiters.removeValue(forKey: ticket)?.resume()
  }

  /// Whoever waits for a change of a resource looks at the resources again.
  func wakeWatches() {
    let waiting = resourceWaiters
    resourceWaiters = [:]
    for waiter in waiting.values { waiter.resume() }
  }

  /// Makes the resources anew, as each boot does, because Talos keeps them in memory: versions are counted from the
  /// beginning, and bookmarks from before mean nothing.
  func forgetResources() {
    resources = ResourceStore(definitions: ResourceCatalog.all)
    bookmarks = BookmarkCoding()
    wakeWatches()
  }
}
