public import Rotation

/// The metrics of the backups that are made on a schedule. Pure.
public struct BackupMetrics {
  private let lastSuccess: Instant?
  private let failures: Int

  /// - Parameter lastSuccess: nil while none has been made.
  public init(lastSuccess: Instant?, failures: Int) {
    self.lastSuccess = lastSuccess
    self.failures = failures
  }

  public var families: [MetricFamily] {
    [
      MetricFamily(
        "omnid_backup_last_success_timestamp_seconds", .gauge,
        "When this process last made a backup on its schedule, in Unix time",
        lastSuccess.map { [MetricFamily.Sample([:], .integer(Int($0.secondsSince1970)))] } ?? []),
      MetricFamily(
        "omnid_backup_failures", .counter, "Backups on the schedule that could not be made",
        [MetricFamily.Sample([:], .integer(failures))]),
    ]
  }
}
