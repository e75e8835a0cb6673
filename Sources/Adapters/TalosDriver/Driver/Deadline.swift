import Synchronization

/// Ends what takes too long.
enum Deadline {
  /// - Parameter late: what is said then; asked before the work is cancelled.
  /// - Throws: `.unreachable` when the time is over; the work is cancelled then.
  static func of<Result: Sendable>(
    _ limit: Duration, late: @Sendable () -> String,
    _ work: @escaping @Sendable () async throws(TalosFailure) -> Result
  ) async throws(TalosFailure) -> Result {
    typealias Outcome = Swift.Result<Result, TalosFailure>
    let (outcome, text) = await withTaskGroup(of: Outcome?.self) { group in
      group.addTask {
        do throws(TalosFailure) {
          return Outcome.success(try await work())
        } catch { return Outcome.failure(error) }
      }
      group.addTask {
        try? await Task.sleep(for: limit)
        return nil
      }
      defer { group.cancelAll() }
      let first = await group.next() ?? nil
      return (first, first == nil ? late() : "")
    }
    guard let outcome else { throw .unreachable(text) }
    return try outcome.get()
  }
}

/// Who is being asked just now, so that a deadline can say who has not answered.
final class AwaitedMachines: Sendable {
  private let asked = Mutex<[String: Int]>([:])

  /// In order.
  var names: [String] { asked.withLock { $0.keys.sorted() } }

  /// Counts a machine among those that are asked for as long as the body runs.
  func asking<Result>(_ name: String, _ body: () async -> Result) async -> Result {
    asked.withLock { $0[name, default: 0] += 1 }
    defer {
      asked.withLock {
        let left = ($0[name] ?? 1) - 1
        $0[name] = left > 0 ? left : nil
      }
    }
    return await body()
  }

  /// What is said when the time is over.
  func late(_ limit: Duration) -> String {
    let (missing, time) = (names, "\(limit.components.seconds) s")
    guard !missing.isEmpty else {
      return "the machines did not all answer within \(time): try again when they do"
    }
    let more = missing.count > 8 ? " and \(missing.count - 8) more" : ""
    return
      "\(missing.prefix(8).joined(separator: ", "))\(more) did not answer within \(time): bring up "
      + "what is down, take out of the cluster what is gone, and try again"
  }
}
