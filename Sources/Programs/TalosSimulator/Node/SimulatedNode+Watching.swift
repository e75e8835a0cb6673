/// Reading a machine's resources, and watching them.
extension SimulatedNode {
  func resource(_ key: ResourceStore.Key) -> ResourceStore.Resource? { resources.get(key) }

  func resourceList(namespace: String, type: String) -> [ResourceStore.Resource] {
    resources.list(namespace: namespace, type: type)
  }

  /// The present resources of a kind with the bookmark that fits them.
  func resourceSnapshot(
    namespace: String, type: String
  )
    -> (resources: [ResourceStore.Resource], bookmark: UInt64)
  {
    (resources.list(namespace: namespace, type: type), resources.head)
  }

  /// Whether the log still holds everything after a bookmark.
  func resourceLogReaches(_ bookmark: UInt64) -> Bool {
    resources.events(after: bookmark, namespace: "", type: "", id: nil) != .lost
  }

  /// What happened after a bookmark; waits until something did. The bookmark that comes with it is
  /// where to go on, even if nothing of what happened was of interest.
  func resourceEvents(
    after bookmark: UInt64, namespace: String, type: String, id: String?
  )
    async throws -> (ResourceStore.Continuation, next: UInt64)
  {
    while resources.head == bookmark {
      let ticket = nextWaiter
      nextWaiter += 1
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          // Looked at once more: a task that prefers another executor than the actor's is scheduled anew on its
          // way here, and everything there is to wait for may have happened meanwhile.
          if Task.isCancelled || resources.head != bookmark {
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
    let found = resources.events(after: bookmark, namespace: namespace, type: type, id: id)
    return (found, resources.head)
  }

  private func stopWaiting(_ ticket: UInt64) {
    resourceWaiters.removeValue(forKey: ticket)?.resume()
  }
}
