public import Rotation

/// The metrics of what targets are told. Pure.
public struct NotificationMetrics {
  /// One target.
  public struct Target {
    public var name: String
    public var sent: Int
    public var failedTries: Int
    public var dropped: Int
    public var pending: Int
    /// Nil while it has taken nothing.
    public var lastSuccess: Instant?

    public init(
      name: String, sent: Int, failedTries: Int, dropped: Int, pending: Int, lastSuccess: Instant?
    ) {
      self.name = name
      self.sent = sent
      self.failedTries = failedTries
      self.dropped = dropped
      self.pending = pending
      self.lastSuccess = lastSuccess
    }
  }

  private let targets: [Target]

  public init(_ targets: [Target]) { self.targets = targets }

  public var families: [MetricFamily] {
    [
      family("omnid_notifications_sent", .counter, "Events that a target has taken") { $0.sent },
      family(
        "omnid_notification_failed_tries", .counter,
        "Tries to deliver an event to a target that did not succeed"
      ) { $0.failedTries },
      family(
        "omnid_notifications_dropped", .counter,
        "Events that were given up, because a target has taken none for too long"
      ) { $0.dropped },
      family(
        "omnid_notifications_pending", .gauge, "Events that a target has yet to be told of"
      ) { $0.pending },
      family(
        "omnid_notification_last_success_timestamp_seconds", .gauge,
        "When a target last took an event of this process, in Unix time"
      ) { $0.lastSuccess.map { Int($0.secondsSince1970) } },
    ]
  }

  private func family(
    _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ value: (Target) -> Int?
  ) -> MetricFamily {
    MetricFamily(
      name, kind, help,
      targets.compactMap { target in
        value(target).map { MetricFamily.Sample(["target": target.name], .integer($0)) }
      })
  }
}
