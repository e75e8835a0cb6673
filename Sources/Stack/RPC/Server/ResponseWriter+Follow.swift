/// How following a broadcast ended for a handler.
typealias FollowOutcome = Result<Void, any Error>

/// Where a call begins to follow.
enum FollowStart {
  /// With the next message.
  case now
  /// With the message that was sent last before, if there was one.
  case newest
  /// With what is newer than a version: what the history has, then what is sent.
  case after(UInt64)
}

/// What a call keeps of the broadcast that it follows.
struct Following {
  var group: FollowerGroup?
  /// The handler.
  var waiter: UnsafeContinuation<FollowOutcome, Never>?
  var slot: Int32 = 0
  /// The call does not go with the others: it is behind them, or ahead.
  var isApart = false
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
  ///   codec and the history throw; `internalError` when the call follows a broadcast already.
  public func follow(_ broadcast: Broadcast<Response>, newestFirst: Bool = false) async throws {
    try await follow(broadcast, from: newestFirst ? .newest : .now)
  }

  /// The same, beginning with what is newer than a version: first what the broadcast's history has, then what is
  /// sent.
  public func follow(_ broadcast: Broadcast<Response>, after version: UInt64) async throws {
    try await follow(broadcast, from: .after(version))
  }

  private func follow(_ broadcast: Broadcast<Response>, from start: FollowStart) async throws {
    guard call.isOnExecutor else {
      return try await followFromElsewhere(broadcast, from: start)
    }
    let group = try group(of: broadcast)
    if let ended = group.add(call, from: start) { return try ended.get() }
    try await withUnsafeContinuation { group.wait(call, $0) }.get()
  }

  @inline(never)
  private func followFromElsewhere(
    _ broadcast: Broadcast<Response>, from start: FollowStart
  ) async throws {
    let outcome = await call.onExecutor { call -> FollowOutcome in
      do {
        let group = try group(of: broadcast)
        if let ended = group.add(call, from: start) { return ended }
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
