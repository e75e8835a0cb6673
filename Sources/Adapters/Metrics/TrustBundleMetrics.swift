/// The metrics of the files that say which CAs have to be trusted. Pure.
public struct TrustBundleMetrics {
  private let isWritten: Bool
  private let failures: Int

  /// - Parameter isWritten: whether every file is as the records have it.
  public init(isWritten: Bool, failures: Int) {
    self.isWritten = isWritten
    self.failures = failures
  }

  public var families: [MetricFamily] {
    [
      MetricFamily(
        "omnid_trust_bundles_written", .gauge,
        "1 while every file of --trust-bundle-dir is as the records have it",
        [MetricFamily.Sample([:], .integer(isWritten ? 1 : 0))]),
      MetricFamily(
        "omnid_trust_bundle_failures", .counter,
        "Attempts to write files of --trust-bundle-dir that did not succeed",
        [MetricFamily.Sample([:], .integer(failures))]),
    ]
  }
}
