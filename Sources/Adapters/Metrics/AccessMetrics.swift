public import Access
import Orchestrator
public import Rotation

/// The metrics of what was issued to callers from elsewhere, and of omnid's own CA. Pure.
public struct AccessMetrics {
  private let grants: [AccessGrant]
  private let authorityExpiry: Instant
  private let now: Instant

  /// - Parameter authorityExpiry: when omnid's own CA expires.
  public init(_ grants: [AccessGrant], authorityExpiry: Instant, now: Instant) {
    self.grants = grants
    self.authorityExpiry = authorityExpiry
    self.now = now
  }

  public var families: [MetricFamily] {
    var counts: [MetricFamily.Sample] = []
    var next: [MetricFamily.Sample] = []
    for (kind, name) in [(AccessGrant.Kind.certificate, "certificate"), (.token, "token")] {
      for role in Role.allCases {
        let good = grants.filter {
          $0.kind == kind && $0.role == role && $0.revokedAt == nil && $0.expiresAt > now
        }
        counts.append(MetricFamily.Sample(["kind": name, "role": role.name], .integer(good.count)))
        if let first = good.map(\.expiresAt).min() {
          next.append(
            MetricFamily.Sample(
              ["kind": name, "role": role.name], .integer(Int(first.secondsSince1970))))
        }
      }
    }
    return [
      MetricFamily(
        "omnid_access_grants", .gauge,
        "Client certificates and tokens that let callers in now, by role", counts),
      MetricFamily(
        "omnid_access_next_expiry_timestamp_seconds", .gauge,
        "When the first of these expires, in Unix time", next),
      MetricFamily(
        "omnid_api_ca_expiry_timestamp_seconds", .gauge,
        "When the CA of omnid's own listeners and clients expires, in Unix time",
        [MetricFamily.Sample([:], .integer(Int(authorityExpiry.secondsSince1970)))]),
    ]
  }
}
