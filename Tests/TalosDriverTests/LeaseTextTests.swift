import Orchestrator
import ProtoCodec
import Rotation
import Testing

@testable import TalosDriver

/// Anybody who may write a lease chooses what stands in it.
@Suite("What a lease says")
struct LeaseTextTests {
  @Test(
    "A lease with an odd duration is read, and counts as forgotten only when it is long past",
    arguments: [
      "15", "9223372036854775807", "-9223372036854775808", "0", "-1", "1.5", "\"x\"", "null",
    ])
  func duration(text: String) throws {
    let object = try JSONValue(
      parsing: Array(
        ("{\"spec\": {\"leaseDurationSeconds\": \(text), \"holderIdentity\": \"cp-1_x\", "
          + "\"renewTime\": \"2026-01-01T00:00:00.000000Z\"}}").utf8))
    let renewed = try #require(Instant(rfc3339: "2026-01-01T00:00:00Z"))
    let now = LeaderLease(object, at: renewed)
    #expect(now.holder == "cp-1" && !now.isForgotten)
    #expect(LeaderLease(object, at: renewed.advanced(by: .seconds(86_400))).isForgotten)
  }
}
