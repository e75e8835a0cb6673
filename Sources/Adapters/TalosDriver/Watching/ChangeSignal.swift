import Synchronization

/// Tells one who waits between two looks that a machine has shown a change.
///
/// What has come while nobody waits is told at the next wait, once however much it was.
final class ChangeSignal: Sendable {
  /// How far the watches are.
  enum Standing: Sendable, Hashable {
    /// Not all are open yet.
    case opening
    case open
    /// One has ended, and none comes back.
    case ended
  }

  /// Why a wait is over.
  enum Reason: Sendable, Hashable {
    case timeOver
    /// A machine has shown a change; `isFollowed` where what is waited for may come a moment later.
    case change(isFollowed: Bool)
    case standing(Standing)
  }

  private struct State {
    var standing = Standing.opening
    /// How many watches are to be opened yet.
    var unopened = 0
    /// Whether a change has come that nobody was told yet, and whether it is followed.
    var change: Bool?
    var told = Standing.opening
    var waiter: CheckedContinuation<Void, Never>?

    var isDue: Bool { change != nil || standing != told }
  }

  private let state = Mutex(State())

  var standing: Standing { state.withLock { $0.standing } }

  func change(isFollowed: Bool) { wake { $0.change = isFollowed || $0.change == true } }

  /// So many watches are being opened.
  func opening(_ count: Int) { state.withLock { $0.unopened = count } }

  /// One of them is open.
  func opened() {
    wake {
      $0.unopened -= 1
      if $0.unopened == 0, $0.standing == .opening { $0.standing = .open }
    }
  }

  func ended() { wake { $0.standing = .ended } }

  /// A look is about to be made: it sees what has changed until now.
  func look() { state.withLock { $0.change = nil } }

  private func wake(_ change: (inout State) -> Void) {
    let waiter = state.withLock { state in
      change(&state)
      return state.isDue ? state.waiter.take() : nil
    }
    waiter?.resume()
  }

  /// Waits until there is something to tell, at most so long, or until the task is cancelled. One at a time.
  func wait(atMost limit: Duration) async -> Reason {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await Task.sleep(for: limit) }
      group.addTask { await self.due() }
      await group.next()
      group.cancelAll()
    }
    return state.withLock { state in
      if let isFollowed = state.change.take() { return .change(isFollowed: isFollowed) }
      guard state.standing != state.told else { return .timeOver }
      state.told = state.standing
      return .standing(state.standing)
    }
  }

  /// Returns when there is something to tell, or the task is cancelled.
  private func due() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.isDue || Task.isCancelled { return true }
          state.waiter = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiter.take() }?.resume()
    }
  }
}
