import Rotation
import Testing

@testable import TalosDriver

@Suite("Proving that a dropped CA is refused")
struct RefusalProofTests {
  private static let alert = RefusalProof.Answer.failure(
    .rejected("remote error: tls: unknown certificate authority"))
  private static let cut = RefusalProof.Answer.failure(
    .unreachable("tls:10.0.0.1:50000: the peer closed the connection"))
  private static let down = RefusalProof.Answer.failure(
    .unreachable("tls:10.0.0.1:50000: connect: Connection refused"))
  private static let letIn = RefusalProof.Answer.success(())

  /// Runs a proof against answers that were written down before.
  private func run(
    _ control: RefusalProof.Answer, accepted: [RefusalProof.Answer] = [],
    dropped: [RefusalProof.Answer]
  ) async -> CheckResult {
    var accepted = accepted
    var dropped = dropped
    return await RefusalProof.check(
      control: control, accepted: { accepted.isEmpty ? Self.down : accepted.removeFirst() },
      dropped: { dropped.isEmpty ? Self.letIn : dropped.removeFirst() })
  }

  @Test("An alert beside an accepted client is proof")
  func alert() async {
    #expect(await run(Self.letIn, dropped: [Self.alert]).state == .passed)
  }

  @Test("Nothing is proved without a positive control")
  func noControl() async {
    for control in [Self.down, Self.cut, Self.alert] {
      #expect(await run(control, dropped: [Self.alert]).state == .waiting)
    }
  }

  @Test("A client that is let in, or a port that is closed, is no refusal")
  func noRefusal() async {
    for dropped in [Self.letIn, Self.down, .failure(.untrusted("certificate verify failed: x"))] {
      #expect(await run(Self.letIn, dropped: [dropped]).state == .waiting)
    }
  }

  @Test(
    "A cut connection is proof only when it is cut every time, and for the dropped client alone")
  func cutOff() async {
    let (cut, letIn) = (Self.cut, Self.letIn)
    let whole = await run(letIn, accepted: [letIn, letIn, letIn], dropped: [cut, cut, cut])
    #expect(whole.state == .passed)
    #expect(await run(letIn, accepted: [letIn, cut], dropped: [cut, cut, cut]).state == .waiting)
    #expect(
      await run(letIn, accepted: [letIn, letIn, cut], dropped: [cut, cut, cut]).state == .waiting)
    #expect(await run(letIn, accepted: [letIn, letIn], dropped: [cut, letIn]).state == .waiting)
    #expect(
      await run(letIn, accepted: [letIn, letIn], dropped: [cut, Self.alert]).state == .passed)
  }

  @Test("Connections that cannot be made are not mistaken for cut ones")
  func kinds() {
    for text in [
      "connect: Connection refused", "connecting took longer than 2.0 seconds", "DEADLINE_EXCEEDED",
    ] {
      #expect(!TalosFailure.unreachable(text).isCutOff)
    }
    #expect(TalosFailure.unreachable("read: Connection reset by peer").isCutOff)
    #expect(!TalosFailure.rejected("the peer closed the connection").isCutOff)
  }
}
