import Rotation
import Synchronization

/// Writes down every call that changes something or hands a credential out, before it is carried out and when it has
/// ended, and tells followers of what is new.
///
/// A call whose beginning cannot be written down is not carried out. An end that cannot be written down is kept and
/// written before the next entry, because the call has been carried out by then.
public final class AuditTrail: Sendable {
  private let log: any AuditLog
  private let clock: any OrchestratorClock
  private let state = Mutex(State())

  private struct State {
    /// Ends that could not be written down, the oldest first, with their times.
    var owed: [(event: AuditEvent, at: Instant)] = []
    var isClosed = false
    var nextFollower: UInt64 = 0
    var followers: [UInt64: AsyncStream<Void>.Continuation] = [:]
  }

  /// The most ends that are owed; older ones are lost then, and their calls read as not answered.
  private static let owedLimit = 1024

  public init(log: any AuditLog, clock: any OrchestratorClock) {
    self.log = log
    self.clock = clock
  }

  /// A call that has been written down.
  public struct Call: Sendable {
    /// Of the entry that tells of the call's beginning.
    public let index: UInt64
    let event: AuditEvent
  }

  /// Writes down that a call begins.
  ///
  /// - Throws: `.journalUnavailable`, `.journalDamaged`: then the call must not be carried out.
  public func begin(_ event: AuditEvent) async throws(OrchestratorError) -> Call {
    do throws(StoreError) {
      try await settle()
      let entry = try await log.append(event, at: clock.now())
      announce()
      return Call(index: entry.index, event: entry.event)
    } catch {
      throw OrchestratorError(
        error.code == .corrupt ? .journalDamaged : .journalUnavailable,
        "the audit log cannot be written, so nothing was done: \(error.message)")
    }
  }

  /// Writes down how a call ended.
  ///
  /// - Parameters:
  ///   - code: the name of the gRPC status.
  ///   - message: why it was refused, or what came of it; holds no key material.
  public func end(_ call: Call, code: String, message: String) async {
    let event = call.event.ended(call.index, code: code, message: message)
    let now = clock.now()
    do throws(StoreError) {
      try await settle()
      _ = try await log.append(event, at: now)
    } catch {
      state.withLock { state in
        state.owed.append((event, now))
        if state.owed.count > Self.owedLimit { state.owed.removeFirst() }
      }
    }
    announce()
  }

  /// Writes down what is owed, as far as that can be done, before the log is closed.
  public func finish() async { try? await settle() }

  /// Writes down the ends that are owed. One of which it is not known whether it was written may stand there twice.
  private func settle() async throws(StoreError) {
    while let (event, at) = state.withLock({ $0.owed.isEmpty ? nil : $0.owed.removeFirst() }) {
      do throws(StoreError) { _ = try await log.append(event, at: at) } catch {
        state.withLock { $0.owed.insert((event, at), at: 0) }
        throw error
      }
    }
  }

  /// Entries after an index, the oldest first.
  ///
  /// - Throws: `.journalDamaged` where the chain is broken; `.journalUnavailable`.
  public func entries(
    after index: UInt64, limit: Int
  ) async throws(OrchestratorError) -> [AuditEntry] {
    do throws(StoreError) { return try await log.entries(after: index, limit: limit) } catch {
      throw OrchestratorError(error)
    }
  }

  // MARK: - Following

  /// Yields when there may be something new; ends when the trail is closed. Whoever reads too slowly misses nothing:
  /// the entries are read from the log.
  public func news() -> AsyncStream<Void> {
    let (news, continuation) = AsyncStream.makeStream(
      of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let id = state.withLock { state -> UInt64? in
      guard !state.isClosed else { return nil }
      state.nextFollower += 1
      state.followers[state.nextFollower] = continuation
      return state.nextFollower
    }
    guard let id else {
      continuation.finish()
      return news
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLock { _ = $0.followers.removeValue(forKey: id) }
    }
    return news
  }

  /// Ends all following, now and later: the server drains.
  public func close() {
    let followers = state.withLock { state in
      state.isClosed = true
      defer { state.followers = [:] }
      return Array(state.followers.values)
    }
    for follower in followers { follower.finish() }
  }

  private func announce() {
    for follower in state.withLock({ Array($0.followers.values) }) { follower.yield() }
  }
}
