import Rotation
import Synchronization

/// Tells everyone who watches what has been committed.
///
/// Level-triggered: a new watch first gets the present state, then what comes. The hub keeps one
/// snapshot per cluster and a bounded queue per watch. Readers are resumed outside the lock.
final class WatchHub: Sendable {
  fileprivate struct State {
    var revision: Revision = 0
    var current: [String: PublishedSnapshot] = [:]
    var running: Set<String> = []
    /// Clusters whose journal cannot be written, and why.
    var outages: [String: OrchestratorError] = [:]
    var subscribers: [UInt64: Subscriber] = [:]
    var nextSubscriber: UInt64 = 0
    var closed: OrchestratorError? = OrchestratorError(
      .shuttingDown, "the orchestrator has not been started")

    func anyRunning(_ cluster: String?) -> Bool {
      if let cluster { running.contains(cluster) } else { !running.isEmpty }
    }
  }

  typealias Waking = (
    reader: CheckedContinuation<Subscriber.Answer, Never>, answer: Subscriber.Answer
  )

  private let state = Mutex(State())
  private let queueLimit: Int

  /// - Parameter queueLimit: snapshots that may wait for one reader before intermediate ones of a
  ///   cluster are dropped.
  init(queueLimit: Int = 256) {
    self.queueLimit = queueLimit
  }

  // MARK: - What happens

  func open(revision: Revision, snapshots: [RotationSnapshot]) {
    state.withLock { state in
      state.revision = revision
      state.current = Dictionary(
        uniqueKeysWithValues: snapshots.map { ($0.cluster, PublishedSnapshot($0)) })
      state.running = Set(snapshots.filter { !$0.isIdle }.map(\.cluster))
      state.closed = nil
    }
  }

  /// The journal has reached this revision.
  func advance(to revision: Revision) {
    state.withLock { $0.revision = max($0.revision, revision) }
  }

  /// A cluster has a newer state. One that is not newer than the known one is not published: it
  /// was only read again.
  func publish(_ snapshot: RotationSnapshot) {
    let published = PublishedSnapshot(snapshot)
    update { state in
      state.revision = max(state.revision, snapshot.revision)
      state.outages[snapshot.cluster] = nil
      let known = state.current.updateValue(published, forKey: snapshot.cluster)
      if snapshot.isIdle {
        state.running.remove(snapshot.cluster)
      } else {
        state.running.insert(snapshot.cluster)
      }
      guard snapshot.revision > known?.value.revision ?? 0 else { return }
      state.each(concerning: snapshot.cluster) { $0.enqueue(published) }
    }
  }

  func remove(cluster: String) {
    update { state in
      state.current[cluster] = nil
      state.running.remove(cluster)
      state.outages[cluster] = nil
      state.each(concerning: cluster) {
        guard $0.cluster == cluster else { return }
        $0.end(.failure(.unknown(cluster)))
      }
    }
  }

  /// The cluster's journal cannot be written. Whoever watches it is told, since nothing else would
  /// ever come: a state that is not recorded is not shown.
  func outage(cluster: String, _ error: OrchestratorError) {
    update { state in
      state.outages[cluster] = error
      state.each(concerning: cluster) { $0.end(.failure(error)) }
    }
  }

  /// Ends every watch, and every one that is asked for from now on.
  func close(_ error: OrchestratorError) {
    update { state in
      state.closed = error
      for id in state.subscribers.keys { state.subscribers[id]?.end(.failure(error)) }
    }
  }

  // MARK: - Reading

  /// The newest revision there is.
  var revision: Revision { state.withLock { $0.revision } }

  /// The present state of the cluster.
  func snapshot(cluster: String) -> RotationSnapshot? {
    state.withLock { state in
      guard var snapshot = state.current[cluster]?.value else { return nil }
      if let outage = state.outages[cluster] { snapshot.error = outage.message }
      return snapshot
    }
  }

  func subscribe(
    cluster: String?, afterRevision: Revision, stopWhenIdle: Bool
  ) throws(OrchestratorError) -> Subscription {
    let id = try state.withLock { state throws(OrchestratorError) in
      if let closed = state.closed { throw closed }
      if let cluster, state.current[cluster] == nil { throw OrchestratorError.unknown(cluster) }
      guard afterRevision <= state.revision else {
        throw OrchestratorError(
          .invalidArgument,
          "after_revision \(afterRevision) lies ahead of the newest revision \(state.revision): "
            + "watch again from 0",
          subject: "after_revision")
      }
      var subscriber = Subscriber(
        cluster: cluster, stopWhenIdle: stopWhenIdle, queueLimit: queueLimit)
      let snapshots = state.current.values
        .filter { $0.value.revision > afterRevision }
        .filter { cluster == nil || $0.value.cluster == cluster }
        .sorted { $0.value.revision < $1.value.revision }
      for snapshot in snapshots {
        guard let outage = state.outages[snapshot.value.cluster] else {
          subscriber.enqueue(snapshot)
          continue
        }
        var value = snapshot.value
        value.error = outage.message
        subscriber.enqueue(PublishedSnapshot(value))
      }
      if let outage = state.outages.first(where: { cluster == nil || $0.key == cluster })?.value {
        subscriber.end(.failure(outage))
      }
      state.nextSubscriber += 1
      state.subscribers[state.nextSubscriber] = subscriber
      return state.nextSubscriber
    }
    return Subscription(hub: self, id: id)
  }

  /// The next snapshot of a watch; suspends until there is one. Nil once it has ended.
  func next(_ id: UInt64) async throws(OrchestratorError) -> RotationSnapshot? {
    let answer: Subscriber.Answer = await withTaskCancellationHandler {
      await withCheckedContinuation { reader in
        let answer = state.withLock { state -> Subscriber.Answer? in
          guard state.subscribers[id] != nil else { return .success(nil) }
          if Task.isCancelled { state.subscribers[id]?.cancel() }
          let anyRunning = state.anyRunning(state.subscribers[id]?.cluster)
          if let answer = state.subscribers[id]?.answer(anyRunning: anyRunning) { return answer }
          state.subscribers[id]?.wait(reader)
          return nil
        }
        if let answer { reader.resume(returning: answer) }
      }
    } onCancel: {
      update { $0.subscribers[id]?.cancel() }
    }
    return try answer.get()?.value
  }

  func unsubscribe(_ id: UInt64) {
    state.withLock { _ = $0.subscribers.removeValue(forKey: id) }
  }

  /// How many watch, and how many snapshots wait for them.
  var load: (subscribers: Int, backlog: Int) {
    state.withLock { state in
      (state.subscribers.count, state.subscribers.values.reduce(0) { $0 + $1.backlog })
    }
  }

  /// Changes the state, then resumes every reader that has something to be told.
  private func update(_ change: (inout State) -> Void) {
    let waking = state.withLock { state -> [Waking] in
      change(&state)
      return state.subscribers.keys.sorted().compactMap { id in
        let anyRunning = state.anyRunning(state.subscribers[id]?.cluster)
        return state.subscribers[id]?.wakeUp(anyRunning: anyRunning)
      }
    }
    for (reader, answer) in waking { reader.resume(returning: answer) }
  }
}

extension WatchHub.State {
  fileprivate mutating func each(concerning cluster: String, _ body: (inout Subscriber) -> Void) {
    for id in subscribers.keys {
      guard let watched = subscribers[id]?.cluster ?? cluster as String?, watched == cluster
      else { continue }
      body(&subscribers[id]!)
    }
  }
}

/// Keeps a watch alive; gone, the hub forgets it.
final class Subscription: Sendable {
  let hub: WatchHub
  let id: UInt64

  init(hub: WatchHub, id: UInt64) {
    self.hub = hub
    self.id = id
  }

  deinit { hub.unsubscribe(id) }
}
