import Synchronization

/// The calls that follow a broadcast and whose streams live on one executor.
final class FollowerGroup: @unchecked Sendable {
  // @unchecked: confined to the executor, but for the atomics.
  let executor: any CallExecutor
  let count = Atomic(0)
  private let broadcast: BroadcastQueue
  private let isScheduled = Atomic(false)
  private var calls: [ServerCall?] = []
  private var freeSlots: [Int32] = []
  /// Calls that are not apart have everything up to here.
  private var delivered: UInt64
  /// The calls that are apart: where each is, by its slot.
  private var apart: [Int32: Progress] = [:]
  /// Slots of calls that are apart because the history has brought them further than the others.
  private var ahead: [Int32] = []
  /// The call that is being added, and how its following ended if it did at once.
  private var adding: ServerCall?
  private var endedAtOnce: FollowOutcome?

  /// Messages of the history that are asked for at once.
  private static let historyStep = 16

  /// How far a call is that does not go with the others.
  private struct Progress {
    var seen: UInt64
    /// Whether what comes next is the history's.
    var needsHistory: Bool

    init(_ seen: UInt64, _ needsHistory: Bool = false) {
      self.seen = seen
      self.needsHistory = needsHistory
    }
  }

  init(of broadcast: BroadcastQueue, on executor: any CallExecutor, version: UInt64) {
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

  /// The call follows from here on.
  ///
  /// - Returns: how it ended, if that was at once; else `wait` is to be called now.
  func add(_ call: ServerCall, from start: FollowStart) -> FollowOutcome? {
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
    let progress =
      switch start {
      case .now: Progress(delivered)
      // One that is newer by now is on its way.
      case .newest: Progress(broadcast.beforeNewest(of: delivered))
      case .after(let version):
        Progress(min(version, delivered), broadcast.history != nil)
      }
    bring(call, on: progress)
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
    let before = delivered
    delivered = batch.version
    let waiting = ahead
    ahead = []
    if !batch.entries.isEmpty || batch.isEnd {
      // This executor has not kept up: everybody needs what is not kept any more.
      let isLate = batch.hasGap && broadcast.history != nil
      for slot in calls.indices {
        guard let call = calls[slot], !call.following.isApart else { continue }
        if isLate {
          bring(call, on: Progress(before, true))
        } else {
          send(batch, from: before, to: call)
        }
      }
    }
    for slot in waiting {
      if let call = calls[Int(slot)], let progress = apart[slot] { bring(call, on: progress) }
    }
  }

  /// Sends messages to a call that has seen what comes before them, as far as there is room.
  private func send(_ batch: BroadcastQueue.Batch, from start: UInt64, to call: ServerCall) {
    do {
      switch try send(batch.entries, to: call) {
      case .whole: if batch.isEnd { end(call) }
      case .cut(let seen): leaveApart(call, Progress(seen ?? start, broadcast.skips))
      case .over: break
      }
    } catch {
      end(call, error)
    }
  }

  private enum Sending {
    case whole
    /// There is no room for more; the version of the last message that was sent, nil when none was.
    case cut(seen: UInt64?)
    /// The call is over.
    case over
  }

  private func send(
    _ entries: [BroadcastQueue.Entry], to call: ServerCall
  ) throws -> Sending {
    var seen: UInt64?
    for entry in entries {
      guard call.hasRoomToFollow else { return .cut(seen: seen) }
      _ = try call.sendNow(entry.message)
      guard call.following.group === self else { return .over }
      seen = entry.version
    }
    return .whole
  }

  private func leaveApart(_ call: ServerCall, _ progress: Progress) {
    call.following.isApart = true
    apart[call.following.slot] = progress
  }

  /// There is room again for a call that may be behind.
  func catchUp(_ call: ServerCall) {
    guard call.following.isApart, let progress = apart[call.following.slot] else { return }
    bring(call, on: progress)
  }

  /// Sends a call what it has not got, as far as there is room; it goes with the others once it has seen the same.
  private func bring(_ call: ServerCall, on progress: Progress) {
    var progress = progress
    var isEnd = false
    do {
      repeat {
        let batch =
          try progress.needsHistory
          ? past(progress.seen) : broadcast.messages(after: progress.seen)
        if batch.hasGap, broadcast.history != nil {
          progress.needsHistory = true
          continue
        }
        switch try send(batch.entries, to: call) {
        case .whole: break
        case .cut(let seen):
          return leaveApart(
            call, Progress(seen ?? progress.seen, progress.needsHistory || broadcast.skips))
        case .over: return
        }
        // What has been sent since the history was asked is kept.
        isEnd = batch.isEnd && !progress.needsHistory
        progress = Progress(batch.version, progress.needsHistory && batch.isCutShort)
        if progress.seen >= delivered, !batch.isFromHistory { break }
      } while true
    } catch {
      return end(call, error)
    }
    if isEnd { return end(call) }
    if progress.seen == delivered {
      call.following.isApart = false
      apart[call.following.slot] = nil
    } else {
      leaveApart(call, progress)
      ahead.append(call.following.slot)
    }
  }

  /// What the history has after a version.
  private func past(_ seen: UInt64) throws -> BroadcastQueue.Batch {
    // Asked for first: what the history then has is not older.
    var batch = BroadcastQueue.Batch(version: max(seen, broadcast.version), isFromHistory: true)
    batch.entries = try broadcast.history?(seen, Self.historyStep) ?? []
    batch.isCutShort = batch.entries.count >= Self.historyStep
    if let last = batch.entries.last?.version {
      batch.version = batch.isCutShort ? last : max(last, batch.version)
    }
    return batch
  }

  /// Nothing more comes: the handler goes on.
  ///
  /// - Parameter error: why, if not because the call or the broadcast is over.
  func end(_ call: ServerCall, _ error: (any Error)? = nil) {
    guard call.following.group === self else { return }
    let following = call.following
    call.following = Following()
    calls[Int(following.slot)] = nil
    apart[following.slot] = nil
    freeSlots.append(following.slot)
    if count.subtract(1, ordering: .relaxed).newValue == 0 { broadcast.remove(self) }
    let outcome: FollowOutcome =
      (error ?? (call.isOver ? CancellationError() : broadcast.ending?.error)).map { .failure($0) }
      ?? .success(())
    if call === adding { endedAtOnce = outcome }
    following.waiter?.resume(returning: outcome)
  }
}
