import Rotation
import Synchronization

/// What a run is told: what its effects have come to, and what people want of it.
///
/// A command that the run does not live to take is answered all the same, because whoever gave it waits.
final class RotationInbox: Sendable {
  enum Message: Sendable {
    case report(RotationRun.Report)
    case command(RotationCommand, by: String, Reply)
  }

  /// Answers one command, once.
  final class Reply: Sendable {
    private let continuation: Mutex<CheckedContinuation<RotationReply, Never>?>

    init(_ continuation: CheckedContinuation<RotationReply, Never>) {
      self.continuation = Mutex(continuation)
    }

    var isSent: Bool { continuation.withLock { $0 == nil } }

    func send(_ reply: RotationReply) {
      continuation.withLock { continuation in
        defer { continuation = nil }
        return continuation
      }?.resume(returning: reply)
    }
  }

  private struct State {
    var isClosed = false
    /// Those that wait for an answer.
    var replies: [Reply] = []
  }

  let messages: AsyncStream<Message>
  private let sender: AsyncStream<Message>.Continuation
  private let state = Mutex(State())

  init() { (messages, sender) = AsyncStream.makeStream(of: Message.self) }

  func report(_ report: RotationRun.Report) { sender.yield(.report(report)) }

  /// Gives a command and waits for what comes of it; `.ended` where the run is over.
  ///
  /// - Parameter call: by which call, as the server's log has it; empty: by none.
  func give(_ command: RotationCommand, by call: String = "") async -> RotationReply {
    await withCheckedContinuation { continuation in
      let reply = Reply(continuation)
      let isOpen = state.withLock { state in
        guard !state.isClosed else { return false }
        state.replies.removeAll(where: \.isSent)
        state.replies.append(reply)
        return true
      }
      if isOpen { sender.yield(.command(command, by: call, reply)) } else { reply.send(.ended) }
    }
  }

  /// Takes nothing more; commands that nobody has answered are answered with `.ended`.
  func close() {
    let open = state.withLock { state in
      state.isClosed = true
      defer { state.replies = [] }
      return state.replies
    }
    sender.finish()
    for reply in open { reply.send(.ended) }
  }
}

/// What people want of a rotation that is under way.
enum RotationCommand: Sendable {
  /// End it, or let it go back, if machines accept the old authority still.
  case abort(requester: String)
  /// Allow it more from now on (`RotationOptions.allowing`).
  case allow(RotationOptions)
  /// End the wait before POST_ROTATE.
  case goOn(requester: String)
  /// Lock or unlock the cluster or a machine.
  case lock(LockChange)
  /// Note something of the cluster, which the rotation that runs does not deal with.
  case note(ClusterNote)
  /// Go on with what another tool has rotated of the other component.
  case follow(RotatedElsewhere)
}

/// What another tool has rotated to its end, of the component that the running rotation leaves alone.
struct RotatedElsewhere: Sendable {
  /// What all machines issue from and accept now, bound as an import's.
  var authority: SealedAuthority
  /// The fingerprint of what the record had when the machines were asked.
  var before: String
  /// What the rotation's notes say of it.
  var note: String

  var component: SecretComponent { authority.binding.component }
}

/// What came of a command.
enum RotationReply: Sendable, Equatable {
  /// It is done, and on record.
  case done
  /// These machines refuse the old authority already, or may.
  case retired([String])
  /// Nothing waits to be continued.
  case notSoaking
  /// The record is no more what it was for whoever gave the command.
  case outdated
  /// The rotation was over, or its run has ended.
  case ended
}

extension RotationRun {
  /// What an effect has come to, with the ticket of the effect.
  struct Report: Sendable {
    var key: Effect.Key
    var ticket: UInt64
    var event: EffectOutcome
  }
}
