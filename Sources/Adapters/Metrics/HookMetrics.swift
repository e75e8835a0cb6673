/// What came of asking a hook before a stage.
public enum HookResult: String, Sendable, Hashable, CaseIterable {
  case agreed
  case refused
  /// It took too long.
  case timedOut = "timed_out"
  /// It, or the directory, cannot be used: it is not there, cannot be run, or can be replaced by others.
  case unusable
}

/// The metrics of the programs that may hold a stage. Pure.
public struct HookMetrics {
  private let counts: [HookResult: Int]

  public init(_ counts: [HookResult: Int]) { self.counts = counts }

  public var families: [MetricFamily] {
    [
      MetricFamily(
        "omnid_hook_answers", .counter,
        "Answers of the programs of --before-stage-dir, by what came of asking them",
        HookResult.allCases.map {
          MetricFamily.Sample(["result": $0.rawValue], .integer(counts[$0] ?? 0))
        })
    ]
  }
}
