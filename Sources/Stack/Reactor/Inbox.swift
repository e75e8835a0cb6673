internal import Synchronization

/// What is to run on a loop.
enum LoopWork {
  case job(UnownedJob)
  case closure(@Sendable () -> Void)
}

/// What other threads give a loop to run, and whether the loop has to be woken for it.
final class Inbox: Sendable {
  private struct Contents {
    var work: [LoopWork] = []
    var isStopped = false
  }

  enum Outcome: Equatable {
    /// The loop will come to the work by itself.
    case accepted
    /// The loop sleeps, and has to be woken.
    case wakes
    /// The loop is gone.
    case refused
  }

  private let contents = Mutex(Contents())
  /// The loop is, or is about to be, asleep.
  private let isAsleep = Atomic(false)

  init() {}

  /// From any thread.
  func put(_ work: LoopWork) -> Outcome {
    let accepted = contents.withLock { contents in
      if contents.isStopped { return false }
      contents.work.append(work)
      return true
    }
    if !accepted { return .refused }
    return isAsleep.exchange(false, ordering: .acquiringAndReleasing) ? .wakes : .accepted
  }

  /// The loop is about to sleep: from now on it has to be woken. False when there is work.
  func fallAsleep() -> Bool {
    isAsleep.store(true, ordering: .sequentiallyConsistent)
    let isEmpty = contents.withLock { $0.work.isEmpty }
    if !isEmpty { isAsleep.store(false, ordering: .releasing) }
    return isEmpty
  }

  /// The loop is awake.
  func wokeUp() { isAsleep.store(false, ordering: .releasing) }

  func take() -> [LoopWork] {
    contents.withLock { contents in
      if contents.work.isEmpty { return [] }
      defer { contents.work = [] }
      return contents.work
    }
  }

  /// Takes no more work from now on; false when there is some left to do first.
  func stop() -> Bool {
    contents.withLock { contents in
      if contents.work.isEmpty { contents.isStopped = true }
      return contents.work.isEmpty
    }
  }
}
