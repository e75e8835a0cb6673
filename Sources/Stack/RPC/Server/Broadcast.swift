import Synchronization

/// Messages for everyone who follows, each of them encoded once.
///
/// A handler that only passes on what others cause need not wake up for every message:
/// `ResponseWriter.follow` suspends it once, and what is sent goes onto the streams of all followers
/// where their connections live. Ten thousand watchers are then ten thousand frames, not ten thousand
/// tasks that take turns.
///
/// Followers get the messages that are sent after they began to follow, in order. Where a client, or an
/// event loop, does not keep up, at most `kept` messages wait: those before them are missed, never the
/// newest.
public final class Broadcast<Message: Sendable>: Sendable {
  let queue: BroadcastQueue
  private let codec: MessageCodec<Message>

  /// - Parameters:
  ///   - codec: how the method of the followers writes its responses.
  ///   - kept: messages that may wait for a follower, at least one.
  public init(codec: MessageCodec<Message>, kept: Int = 1024) {
    self.codec = codec
    queue = BroadcastQueue(kept: kept)
  }

  /// Sends a message to everyone who follows now. Returns before they have it.
  ///
  /// - Throws: what the codec throws. Once `finish` was called nothing happens.
  public func send(_ message: Message) throws {
    let codec = codec
    queue.append(
      BroadcastMessage(envelope: try codec.envelope(message)) { try $0.encode(message, codec) })
  }

  /// Ends every `follow`, of those who follow now once they have got what was sent before, and of those
  /// who begin later.
  ///
  /// - Parameter error: what they throw; nil lets them return.
  public func finish(throwing error: RPCError? = nil) { queue.finish(error) }

  /// How many calls follow at the moment.
  public var followerCount: Int { queue.followerCount }
}

/// A message of a broadcast. No generic type, as all that is done for each follower: that would look its
/// types up each time.
final class BroadcastMessage: Sendable {
  let envelope: [UInt8]
  /// What calls get that are written in another form.
  let encode: @Sendable (ServerCall) throws -> [UInt8]

  init(envelope: [UInt8], encode: @escaping @Sendable (ServerCall) throws -> [UInt8]) {
    self.envelope = envelope
    self.encode = encode
  }
}

/// The messages that were sent, and who is told of new ones.
final class BroadcastQueue: Sendable {
  private struct State {
    /// How many messages were sent.
    var version = 0
    /// The last of them, message `i` at `i % kept`.
    var kept: [BroadcastMessage?]
    /// The followers of each executor.
    var groups: [ObjectIdentifier: FollowerGroup] = [:]
    var ending: Ending?
  }

  /// Why there is nothing to follow any more: an error, or just the end.
  struct Ending: Sendable { var error: RPCError? }

  private let state: Mutex<State>

  init(kept: Int) {
    precondition(kept > 0, "the newest message at least is kept")
    state = Mutex(State(kept: Array(repeating: nil, count: kept)))
  }

  func append(_ message: BroadcastMessage) {
    let groups = state.withLock { state -> [FollowerGroup] in
      if state.ending != nil { return [] }
      state.version += 1
      state.kept[state.version % state.kept.count] = message
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

  /// Messages that were sent one after another.
  struct Batch {
    var messages: [BroadcastMessage] = []
    /// The version of the last message, or of the one before when there is none.
    var version: Int
    /// Nothing will come after them.
    var isEnd: Bool
  }

  /// What was sent after a version, as far as it is kept, up to the present one or to `last`.
  func messages(after seen: Int, upTo last: Int? = nil) -> Batch {
    state.withLock { state in
      let version = last ?? state.version
      var batch = Batch(version: version, isEnd: state.ending != nil && version == state.version)
      let oldest = max(seen, state.version - state.kept.count) + 1
      if oldest <= version {
        batch.messages = (oldest...version).compactMap { state.kept[$0 % state.kept.count] }
      }
      return batch
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

/// The calls that follow a broadcast and whose streams live on one executor.
final class FollowerGroup: @unchecked Sendable {
  // @unchecked: confined to the executor, but for the atomics.
  let executor: any CallExecutor
  let count = Atomic(0)
  private let broadcast: BroadcastQueue
  private let isScheduled = Atomic(false)
  private var calls: [ServerCall?] = []
  private var freeSlots: [Int32] = []
  /// Calls that are not behind have everything up to here.
  private var delivered: Int
  /// What calls that are behind have got, by their slots.
  private var behind: [Int32: Int] = [:]
  /// The call that is being added, and how its following ended if it did at once.
  private var adding: ServerCall?
  private var endedAtOnce: FollowOutcome?

  init(of broadcast: BroadcastQueue, on executor: any CallExecutor, version: Int) {
    self.broadcast = broadcast
    self.executor = executor
    delivered = version
  }

  /// There is something to deliver. From anywhere.
  func schedule() {
    if !isScheduled.exchange(true, ordering: .acquiringAndReleasing) {
      executor.run { self.deliver() }
    }
  }

  /// The call follows from here on; the newest message may be the first that it gets.
  ///
  /// - Returns: how it ended, if that was at once; else `wait` is to be called now.
  func add(_ call: ServerCall, newestFirst: Bool) -> FollowOutcome? {
    // It counts before the others are served, whose ends must not take this group away.
    count.add(1, ordering: .relaxed)
    deliver()
    let slot: Int32
    if let free = freeSlots.popLast() {
      slot = free
    } else {
      slot = Int32(calls.count)
      calls.append(nil)
    }
    calls[Int(slot)] = call
    call.following = Following(group: self, slot: slot)
    adding = call
    endedAtOnce = nil
    // One that is newer by now is on its way.
    let seen = newestFirst && delivered > 0 ? delivered - 1 : delivered
    send(broadcast.messages(after: seen, upTo: delivered), to: call)
    adding = nil
    return endedAtOnce
  }

  /// The handler of a call that was added waits for the end.
  func wait(_ call: ServerCall, _ waiter: UnsafeContinuation<FollowOutcome, Never>) {
    call.following.waiter = waiter
  }

  private func deliver() {
    isScheduled.store(false, ordering: .sequentiallyConsistent)
    let batch = broadcast.messages(after: delivered)
    delivered = batch.version
    if batch.messages.isEmpty && !batch.isEnd { return }
    for slot in calls.indices {
      if let call = calls[slot], !call.following.isBehind { send(batch, to: call) }
    }
  }

  /// Sends as much as there is room for.
  private func send(_ batch: BroadcastQueue.Batch, to call: ServerCall) {
    do {
      for i in batch.messages.indices where try !call.sendNow(batch.messages[i]) {
        // The call may be over with that.
        guard call.following.group === self else { return }
        // Also when this was the last: the next one has to wait.
        call.following.isBehind = true
        behind[call.following.slot] = batch.version - batch.messages.count + 1 + i
        return
      }
      if batch.isEnd { end(call) }
    } catch {
      end(call, error)
    }
  }

  /// There is room again for what the call is behind with.
  func catchUp(_ call: ServerCall) {
    guard call.following.isBehind, call.hasRoom else { return }
    call.following.isBehind = false
    let seen = behind.removeValue(forKey: call.following.slot) ?? delivered
    send(broadcast.messages(after: seen, upTo: delivered), to: call)
  }

  /// Nothing more comes: the handler goes on.
  ///
  /// - Parameter error: why, if not because the call or the broadcast is over.
  func end(_ call: ServerCall, _ error: (any Error)? = nil) {
    guard call.following.group === self else { return }
    let following = call.following
    call.following = Following()
    calls[Int(following.slot)] = nil
    behind[following.slot] = nil
    freeSlots.append(following.slot)
    if count.subtract(1, ordering: .relaxed).newValue == 0 { broadcast.remove(self) }
    let outcome: FollowOutcome =
      (error ?? (call.isOver ? CancellationError() : broadcast.ending?.error)).map { .failure($0) }
      ?? .success(())
    if call === adding { endedAtOnce = outcome }
    following.waiter?.resume(returning: outcome)
  }
}

/// How following a broadcast ended for a handler.
typealias FollowOutcome = Result<Void, any Error>

/// What a call keeps of the broadcast that it follows.
struct Following {
  var group: FollowerGroup?
  /// The handler.
  var waiter: UnsafeContinuation<FollowOutcome, Never>?
  var slot: Int32 = 0
  /// Nothing more is sent before the stream has room.
  var isBehind = false
}

extension ResponseWriter {
  /// Writes what is sent to a broadcast, until that is finished.
  ///
  /// A reader that is slower than the broadcast misses messages rather than holding anybody up. Messages
  /// that the handler writes itself before and after stay before and after. It ends with the call or the
  /// broadcast; cancelling some other task of the handler does not end it.
  ///
  /// - Parameter newestFirst: begins with the message that was sent last before, if there was one: for
  ///   broadcasts of a state.
  /// - Throws: `CancellationError` when the call is over; what the broadcast was finished with; what the
  ///   codec throws; `internalError` when the call follows a broadcast already.
  public func follow(_ broadcast: Broadcast<Response>, newestFirst: Bool = false) async throws {
    guard call.isOnExecutor else {
      return try await followFromElsewhere(broadcast, newestFirst: newestFirst)
    }
    let group = try group(of: broadcast)
    if let ended = group.add(call, newestFirst: newestFirst) { return try ended.get() }
    try await withUnsafeContinuation { group.wait(call, $0) }.get()
  }

  @inline(never)
  private func followFromElsewhere(
    _ broadcast: Broadcast<Response>, newestFirst: Bool
  ) async throws {
    let outcome = await call.onExecutor { call -> FollowOutcome in
      do {
        let group = try group(of: broadcast)
        if let ended = group.add(call, newestFirst: newestFirst) { return ended }
        return await withUnsafeContinuation { group.wait(call, $0) }
      } catch { return .failure(error) }
    }
    try outcome.get()
  }

  private func group(of broadcast: Broadcast<Response>) throws -> FollowerGroup {
    if call.isOver { throw CancellationError() }
    guard call.following.group == nil else {
      throw RPCError(.internalError, "a call follows one broadcast at a time")
    }
    return broadcast.queue.group(on: call.executor)
  }
}
