import Synchronization

/// The messages that were sent, and who is told of new ones.
final class BroadcastQueue: Sendable {
  typealias Entry = (version: UInt64, message: BroadcastMessage)
  typealias History = @Sendable (_ after: UInt64, _ limit: Int) throws -> [Entry]

  private struct State {
    /// That of the newest message.
    var version: UInt64
    /// That of the newest message which is not kept any more.
    var forgotten: UInt64
    /// How many messages were sent.
    var sent = 0
    /// The last of them, message `i` at `i % limit`.
    var kept: [Entry] = []
    /// The followers of each executor.
    var groups: [ObjectIdentifier: FollowerGroup] = [:]
    var ending: Ending?

    /// The newest message that is kept, or the one so many before it, which has to be kept.
    func newest(_ before: Int) -> Entry { kept[(sent - 1 - before) % kept.count] }
  }

  /// Why there is nothing to follow any more: an error, or just the end.
  struct Ending: Sendable { var error: RPCError? }

  let history: History?
  /// Whether followers without room leave out what is kept.
  let skips: Bool
  private let limit: Int
  private let state: Mutex<State>

  init(kept: Int, version: UInt64 = 0, skips: Bool = false, history: History? = nil) {
    precondition(kept > 0, "the newest message at least is kept")
    limit = kept
    self.history = history
    self.skips = skips && history != nil
    state = Mutex(State(version: version, forgotten: version))
  }

  /// - Parameter version: nil for the next one.
  func append(_ message: BroadcastMessage, at version: UInt64?) {
    let groups = state.withLock { state -> [FollowerGroup] in
      if state.ending != nil { return [] }
      let version = version ?? state.version + 1
      if state.kept.count < limit {
        state.kept.append((version, message))
      } else {
        state.forgotten = state.kept[state.sent % limit].version
        state.kept[state.sent % limit] = (version, message)
      }
      state.sent += 1
      state.version = version
      return Array(state.groups.values)
    }
    for group in groups { group.schedule() }
  }

  func finish(_ error: RPCError?) {
    let groups = state.withLock { state -> [FollowerGroup] in
      if state.ending == nil { state.ending = Ending(error: error) }
      return Array(state.groups.values)
    }
    for group in groups { group.schedule() }
  }

  var followerCount: Int {
    state.withLock { $0.groups.values.reduce(0) { $0 + $1.count.load(ordering: .relaxed) } }
  }

  var ending: Ending? { state.withLock { $0.ending } }
  var version: UInt64 { state.withLock { $0.version } }

  /// Messages that were sent one after another.
  struct Batch {
    /// The oldest first.
    var entries: [Entry] = []
    /// What a follower has seen who has got them.
    var version: UInt64
    /// A message before them is not kept any more.
    var hasGap = false
    /// Nothing will come after them.
    var isEnd = false
    /// They are the history's, and stand for others.
    var isFromHistory = false
    /// The history has more.
    var isCutShort = false
  }

  /// What was sent after a version, as far as it is kept.
  func messages(after seen: UInt64) -> Batch {
    state.withLock { state in
      var batch = Batch(version: max(seen, state.version), hasGap: seen < state.forgotten)
      batch.isEnd = state.ending != nil
      var count = 0
      while count < state.kept.count, state.newest(count).version > seen { count += 1 }
      batch.entries.reserveCapacity(count)
      while count > 0 {
        count -= 1
        batch.entries.append(state.newest(count))
      }
      return batch
    }
  }

  /// The version after which the newest message comes of those up to `version`; that itself when such a message is
  /// not kept.
  func beforeNewest(of version: UInt64) -> UInt64 {
    state.withLock { state in
      for before in 0..<state.kept.count where state.newest(before).version <= version {
        return state.newest(before).version - 1
      }
      return version
    }
  }

  /// The followers on an executor. To be called there.
  func group(on executor: any CallExecutor) -> FollowerGroup {
    state.withLock { state in
      let id = ObjectIdentifier(executor)
      if let group = state.groups[id] { return group }
      let group = FollowerGroup(of: self, on: executor, version: state.version)
      state.groups[id] = group
      return group
    }
  }

  /// A group has no followers left. To be called on its executor.
  func remove(_ group: FollowerGroup) {
    let id = ObjectIdentifier(group.executor)
    state.withLock { if $0.groups[id] === group { $0.groups[id] = nil } }
  }
}
