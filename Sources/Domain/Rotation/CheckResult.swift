/// The answer to one question asked of a machine or of the cluster.
public struct CheckResult: Sendable, Hashable {
  public enum State: String, Sendable, Hashable, CaseIterable {
    /// Answered as it should be.
    case passed
    /// Answered, and wrong.
    case failed
    /// Not answered yet, or not as it should be yet; expected to come by itself.
    case waiting
    /// Does not exist for this machine, component or stage.
    case notApplicable = "not-applicable"
  }

  /// A `CheckName`; records of another release may hold names that this one does not know.
  public var name: String
  public var state: State
  /// What was seen, for a person; holds no key material. Kept to `CheckResult.detailLimit` bytes.
  public var detail: String

  public init(_ name: CheckName, _ state: State, _ detail: String = "") {
    self.init(named: name.rawValue, state, detail)
  }

  /// A result as it was recorded.
  public init(named name: String, _ state: State, _ detail: String = "") {
    self.name = name.bounded(to: 64)
    self.state = state
    self.detail = detail.bounded(to: CheckResult.detailLimit)
  }

  /// The longest `detail`, in UTF-8 bytes; longer ones are cut, so that records stay bounded.
  public static let detailLimit = 512

  /// Whether the check stands in nobody's way.
  public var isSettled: Bool { state == .passed || state == .notApplicable }

  /// What was seen; the check's name where nothing more is known.
  public var explanation: String { detail.isEmpty ? name : detail }

  /// The check `coverage` of what was found; nil where nothing was.
  public static func coverage(_ uncovered: [Finding]) -> CheckResult? {
    guard let first = uncovered.first else { return nil }
    let more = uncovered.count > 1 ? " (and \(uncovered.count - 1) more)" : ""
    return CheckResult(.coverage, .failed, first.message + more)
  }

  public func isNamed(_ name: CheckName) -> Bool { self.name == name.rawValue }
}

/// A check over time: its last answer, since when it has been that, and what was wrong before.
public struct CheckRecord: Sendable, Hashable {
  public var result: CheckResult
  /// Since when `result.state` is what it is.
  public var since: Instant
  /// The last failure in this stage; kept when the check passes later. Empty if there was none.
  public var lastError: String

  public init(result: CheckResult, since: Instant, lastError: String = "") {
    self.result = result
    self.since = since
    self.lastError = lastError
  }

  /// The records after a new look: one per result, each continuing the earlier one of its name.
  static func merging(
    _ results: [CheckResult], into earlier: [CheckRecord], at now: Instant
  ) -> [CheckRecord] {
    results.map { result in
      let before = earlier.first { $0.result.name == result.name }
      return CheckRecord(
        result: result,
        since: before?.result.state == result.state ? before?.since ?? now : now,
        lastError: result.state == .failed ? result.detail : before?.lastError ?? "")
    }
  }
}

extension String {
  /// The string itself, or as much of its beginning as fits into `limit` UTF-8 bytes.
  package func bounded(to limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var kept = ""
    var used = 0
    for character in self {
      let width = character.utf8.count
      if used + width > limit - 3 { break }
      used += width
      kept.append(character)
    }
    return kept + "…"
  }
}
