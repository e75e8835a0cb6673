public import RPC

/// The metrics of calls, by method and status code.
public struct CallMetrics {
  private let tallies: [CallTally]

  /// - Parameter tallies: of the methods that are served, and of what is no method.
  public init(_ tallies: [CallTally]) { self.tallies = tallies }

  public var families: [MetricFamily] { [requests, latency, streams] }

  private static func method(_ tally: CallTally) -> String {
    tally.path.isEmpty ? "unknown" : String(tally.path.dropFirst())
  }

  private var requests: MetricFamily {
    MetricFamily(
      "omnid_rpc_requests", .counter,
      "Requests that have ended, by method and status code, those that were refused among them",
      tallies.flatMap { tally in
        StatusCode.allCases.compactMap { code in
          let count = tally.count(code)
          // OK is there from the start, so that a rate begins at 0.
          guard count > 0 || (code == .ok && !tally.path.isEmpty) else { return nil }
          return MetricFamily.Sample(
            ["method": Self.method(tally), "code": code.name], .integer(count))
        }
      })
  }

  private var latency: MetricFamily {
    MetricFamily(
      "omnid_rpc_duration_seconds", .histogram,
      "How long unary calls took from their head to their status",
      tallies.filter { $0.kind == .unary && !$0.path.isEmpty }.map { tally in
        let (counts, sum) = tally.latency
        return MetricFamily.Sample(
          ["method": Self.method(tally)],
          .histogram(
            bounds: CallTally.bounds.map(\.inSeconds), counts: counts, sum: sum.inSeconds))
      })
  }

  private var streams: MetricFamily {
    MetricFamily(
      "omnid_rpc_streams", .gauge, "Calls with a stream that go on, by method",
      tallies.filter { $0.kind != .unary && !$0.path.isEmpty }.map {
        MetricFamily.Sample(["method": Self.method($0)], .integer($0.openStreams))
      })
  }
}

extension Duration {
  var inSeconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds) / 1e18
  }
}
