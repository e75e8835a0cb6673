import Rotation
import Synchronization

/// Knows what is current and who may watch it from where, and tells observers and readers what has been committed.
///
/// Level-triggered: a new watch first gets the present state, then what comes. What the hub does at a commit does
/// not depend on how many people watch: those of other processes are the business of one observer. Readers within
/// the process are few; they are resumed outside the lock.
final class WatchHub: Sendable {
  fileprivate struct State {
    var revision: Revision = 0
    var log: UpdateLog
    var running: Set<String> = []
    /// Clusters whose journal cannot be written, and why.
    var outages: [String: OrchestratorError] = [:]
    var observers: [any RotationObserver] = []
    var subscribers: [UInt64: Subscriber] = [:]
    var nextSubscriber: UInt64 = 0
    var closed: OrchestratorError? = OrchestratorError(
      .shuttingDown, "the orchestrator has not been started")
  }

  typealias Waking = (
    reader: CheckedContinuation<Subscriber.Answer, Never>, answer: Subscriber.Answer
  )

  private let state: Mutex<State>
  private let queueLimit: Int

  /// - Parameter queueLimit: updates that may wait for a reader before intermediate ones of a cluster are dropped.
  init(queueLimit: Int = 256) {
    self.queueLimit = queueLimit
    state = Mutex(State(log: UpdateLog(limit: queueLimit)))
  }

  // MARK: - What happens

  func open(revision: Revision, snapshots: [RotationSnapshot]) {
    state.withLock { state in
      state.revision = revision
      state.log = UpdateLog(limit: queueLimit)
      for snapshot in snapshots.sorted(by: { $0.revision < $1.revision }) {
        _ = state.log.publish(snapshot)
      }
      state.running = Set(snapshots.filter { !$0.isIdle }.map(\.cluster))
      state.outages = [:]
      state.closed = nil
    }
  }

  /// The journal has reached this revision.
  func advance(to revision: Revision) {
    state.withLock { $0.revision = max($0.revision, revision) }
  }

  /// A cluster has a newer state. One that is not newer than the known one is not published: it
  /// was only read again.
  ///
  /// - Parameter changed: see `RotationUpdate.changed`.
  func publish(_ snapshot: RotationSnapshot, changed: Set<String>? = nil) {
    update { state in
      state.revision = max(state.revision, snapshot.revision)
      state.outages[snapshot.cluster] = nil
      if snapshot.isIdle {
        state.running.remove(snapshot.cluster)
      } else {
        state.running.insert(snapshot.cluster)
      }
      guard let update = state.log.publish(snapshot, changed: changed) else { return }
      for observer in state.observers {
        observer.published(update, isAnyRunning: !state.running.isEmpty)
      }
    }
  }

  func remove(cluster: String) {
    let error = OrchestratorError.unknown(cluster)
    update { state in
      state.log.remove(cluster)
      state.running.remove(cluster)
      state.outages[cluster] = nil
      for observer in state.observers {
        observer.removed(cluster: cluster, error, isAnyRunning: !state.running.isEmpty)
      }
      state.end(.failure(error)) { $0 == cluster }
    }
  }

  /// The cluster's journal cannot be written. Whoever watches it is told, since nothing else would
  /// ever come: a state that is not recorded is not shown.
  func outage(cluster: String, _ error: OrchestratorError) {
    update { state in
      state.outages[cluster] = error
      for observer in state.observers { observer.failed(cluster: cluster, error) }
      state.end(.failure(error)) { $0 == nil || $0 == cluster }
    }
  }

  /// Ends every watch, and every one that is asked for from now on.
  func close(_ error: OrchestratorError) {
    update { state in
      state.closed = error
      for observer in state.observers { observer.closed(error) }
      state.end(.failure(error)) { _ in true }
    }
  }

  // MARK: - Reading

  /// The newest revision there is.
  var revision: Revision { state.withLock { $0.revision } }

  /// The present state of the cluster.
  func snapshot(cluster: String) -> RotationSnapshot? {
    state.withLock { state in state.log[cluster].map { state.shown($0).snapshot } }
  }

  /// The present state of the cluster as an update; nil once the hub is closed.
  func current(cluster: String) -> RotationUpdate? {
    state.withLock { state in
      state.closed == nil ? state.log[cluster].map { state.shown($0) } : nil
    }
  }

  /// The present states that are newer than a position, the oldest first.
  func changed(after position: UInt64, cluster: String?, limit: Int) -> [RotationUpdate] {
    state.withLock { state in
      state.log.changed(after: position, cluster: cluster, limit: limit).map { state.shown($0) }
    }
  }

  /// From now on the observer is told of everything.
  func add(_ observer: any RotationObserver) { state.withLock { $0.observers.append(observer) } }

  /// Lets a watch begin. Nothing happens between the answer and what `join` does.
  ///
  /// - Parameter join: makes the watch. Called under the lock.
  func admit<Watch>(
    cluster: String?, afterRevision: Revision, stopWhenIdle: Bool, _ join: (WatchStart) -> Watch
  ) throws(OrchestratorError) -> Watch {
    try state.withLock { state throws(OrchestratorError) in
      join(try state.admit(cluster, afterRevision, stopWhenIdle))
    }
  }

  func subscribe(
    cluster: String?, afterRevision: Revision, stopWhenIdle: Bool
  ) throws(OrchestratorError) -> Subscription {
    let id = try state.withLock { state throws(OrchestratorError) in
      let start = try state.admit(cluster, afterRevision, stopWhenIdle)
      var subscriber = Subscriber(
        cluster: cluster, after: min(afterRevision, start.newest), newest: start.newest,
        stopWhenIdle: stopWhenIdle)
      if case .failed(let error) = start.ending {
        subscriber.end(.failure(error), at: state.log.position)
      }
      state.nextSubscriber += 1
      state.subscribers[state.nextSubscriber] = subscriber
      return state.nextSubscriber
    }
    return Subscription(hub: self, id: id)
  }

  /// The next update of a watch; suspends until there is one. Nil once it has ended.
  func next(_ id: UInt64) async throws(OrchestratorError) -> RotationUpdate? {
    let answer: Subscriber.Answer = await withTaskCancellationHandler {
      await withCheckedContinuation { reader in
        let answer = state.withLock { state -> Subscriber.Answer? in
          guard state.subscribers[id] != nil else { return .success(nil) }
          if Task.isCancelled { state.subscribers[id]?.cancel() }
          let anyRunning = state.anyRunning(state.subscribers[id]?.cluster)
          let answer = state.subscribers[id]?.answer(state.log, anyRunning: anyRunning)
          if answer == nil { state.subscribers[id]?.wait(reader) }
          return answer.map { state.shown($0) }
        }
        if let answer { reader.resume(returning: answer) }
      }
    } onCancel: {
      update { $0.subscribers[id]?.cancel() }
    }
    return try answer.get()
  }

  func unsubscribe(_ id: UInt64) {
    state.withLock { _ = $0.subscribers.removeValue(forKey: id) }
  }

  /// Changes the state, then resumes every reader that has something to be told.
  private func update(_ change: (inout State) -> Void) {
    let waking = state.withLock { state -> [Waking] in
      change(&state)
      return state.subscribers.keys.sorted().compactMap { id in
        let anyRunning = state.anyRunning(state.subscribers[id]?.cluster)
        return state.subscribers[id]?.wakeUp(state.log, anyRunning: anyRunning)
      }
    }
    for (reader, answer) in waking { reader.resume(returning: answer) }
  }
}

extension WatchHub.State {
  fileprivate func anyRunning(_ cluster: String?) -> Bool {
    if let cluster { running.contains(cluster) } else { !running.isEmpty }
  }

  /// How a watch begins now.
  fileprivate func admit(
    _ cluster: String?, _ afterRevision: Revision, _ stopWhenIdle: Bool
  ) throws(OrchestratorError) -> WatchStart {
    if let closed { throw closed }
    if let cluster, log[cluster] == nil { throw OrchestratorError.unknown(cluster) }
    guard afterRevision <= revision else {
      throw OrchestratorError(
        .invalidArgument,
        "after_revision \(afterRevision) lies ahead of the newest revision \(revision): "
          + "watch again from 0",
        subject: "after_revision")
    }
    var start = WatchStart(newest: cluster.flatMap { log[$0]?.position } ?? log.position)
    if let outage = outages.first(where: { cluster == nil || $0.key == cluster })?.value {
      start.ending = .failed(outage)
    } else if stopWhenIdle, !anyRunning(cluster) {
      start.ending = .idle
    }
    return start
  }

  /// Ends the watches whose cluster, nil for all, is among those.
  fileprivate mutating func end(_ answer: Subscriber.Answer, _ isEnded: (String?) -> Bool) {
    for id in subscribers.keys where isEnded(subscribers[id]?.cluster) {
      subscribers[id]?.end(answer, at: log.position)
    }
  }

  /// The update as it is shown while the cluster's journal cannot be written: with the reason.
  fileprivate func shown(_ update: RotationUpdate) -> RotationUpdate {
    guard let outage = outages[update.snapshot.cluster] else { return update }
    var snapshot = update.snapshot
    snapshot.outage = outage.message
    return RotationUpdate(position: update.position, snapshot: snapshot)
  }

  fileprivate func shown(_ answer: Subscriber.Answer) -> Subscriber.Answer {
    answer.map { $0.map { shown($0) } }
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
