public import RPCTransport

/// The metrics of the process and its connections. Pure.
public struct ServerMetrics {
  private let version: String
  private let startedAt: Int64
  private let isReady: Bool
  private let connections: Int
  private let connectionLimit: Int
  private let troubles: [ConnectionReport.Kind: Int]
  private let watchers: Int
  private let revision: UInt64

  /// - Parameters:
  ///   - startedAt: Unix seconds.
  ///   - troubles: how many connections and requests were refused or ended, by the reason.
  ///   - watchers: how many watch rotations.
  ///   - revision: of the journal.
  public init(
    version: String, startedAt: Int64, isReady: Bool, connections: Int, connectionLimit: Int,
    troubles: [ConnectionReport.Kind: Int], watchers: Int, revision: UInt64
  ) {
    self.version = version
    self.startedAt = startedAt
    self.isReady = isReady
    self.connections = connections
    self.connectionLimit = connectionLimit
    self.troubles = troubles
    self.watchers = watchers
    self.revision = revision
  }

  public var families: [MetricFamily] {
    [
      MetricFamily(
        "omnid_build_info", .gauge, "1, with the version that runs",
        [MetricFamily.Sample(["version": version], .integer(1))]),
      Self.gauge(
        "omnid_start_timestamp_seconds", "When the process began to serve, in Unix time",
        Int(startedAt)),
      Self.gauge("omnid_ready", "1 while calls are taken", isReady ? 1 : 0),
      Self.gauge("omnid_connections", "Connections that are open", connections),
      Self.gauge(
        "omnid_connections_limit", "Connections that may be open at once", connectionLimit),
      MetricFamily(
        "omnid_connections_refused", .counter,
        "Connections that were not served, or were ended for what their clients did, by the reason",
        samples(ofRequests: false)),
      MetricFamily(
        "omnid_requests_ended", .counter,
        "Requests that were ended for what their clients did or left undone, by the reason, while the connection went on",
        samples(ofRequests: true)),
      Self.gauge("omnid_rotation_watchers", "Calls that watch rotations", watchers),
      Self.gauge("omnid_journal_revision", "The revision of the journal", Int(clamping: revision)),
    ]
  }

  private func samples(ofRequests: Bool) -> [MetricFamily.Sample] {
    ConnectionReport.Kind.allCases.filter { $0.isOfRequest == ofRequests }.map {
      MetricFamily.Sample(["reason": $0.metricLabel], .integer(troubles[$0] ?? 0))
    }
  }

  private static func gauge(_ name: String, _ help: String, _ value: Int) -> MetricFamily {
    MetricFamily(name, .gauge, help, [MetricFamily.Sample([:], .integer(value))])
  }
}

extension ConnectionReport.Kind {
  var metricLabel: String {
    switch self {
    case .refused: "too_many"
    case .exhausted: "no_resources"
    case .handshakeFailed: "handshake"
    case .foreignProtocol: "foreign_protocol"
    case .flood: "flood"
    case .ruleBroken: "protocol_error"
    case .expired: "certificate_expired"
    case .stalled: "stalled"
    case .requestUnfinished: "unfinished"
    case .requestRefused: "memory"
    case .answerUntaken: "untaken"
    case .readerTooSlow: "slow_reader"
    }
  }
}
