import HTTP2Codes
import Orchestrator
import RPC
import Rotation
import TalosSimulator
import Testing

@testable import TalosDriver

@Suite("Proving that a dropped CA is refused")
struct RefusalProofTests {
  private static let alert = RefusalProof.Answer.failure(
    .rejected("the machine says so", .certificateRefused(alert: 48)))
  private static let cut = RefusalProof.Answer.failure(
    .unreachable("no word", .cut("the peer closed the connection")))
  private static let down = RefusalProof.Answer.failure(
    .unreachable("nobody listens", .refused))
  private static let letIn = RefusalProof.Answer.success(())

  /// Runs a proof against answers that were written down before.
  private func run(
    _ control: RefusalProof.Answer, accepted: [RefusalProof.Answer] = [],
    dropped: [RefusalProof.Answer], isBound: Bool = false
  ) async -> CheckResult {
    var accepted = accepted
    var dropped = dropped
    return await RefusalProof.check(
      control: control, accepted: { accepted.isEmpty ? Self.down : accepted.removeFirst() },
      dropped: { dropped.isEmpty ? Self.letIn : dropped.removeFirst() }, isBound: isBound)
  }

  @Test("An alert beside an accepted client is proof")
  func alert() async {
    #expect(await run(Self.letIn, dropped: [Self.alert]).state == .passed)
  }

  @Test("A refusal for the client's time is none of its CA")
  func time() async {
    let expired = RefusalProof.Answer.failure(
      .rejected("expired certificate", .certificateRefused(alert: 45)))
    let result = await run(Self.letIn, dropped: [expired])
    #expect(result.state == .waiting && result.detail.contains("clock"))
  }

  @Test("At the gate an alert counts only where the machine lets an accepted client in behind it")
  func bound() async {
    let another = RefusalProof.Answer.failure(.misdirected("another machine answers"))
    for after in [Self.down, Self.cut, Self.alert, another] {
      let result = await run(Self.letIn, accepted: [after], dropped: [Self.alert], isBound: true)
      #expect(result.state == .waiting, "\(after)")
    }
    let proved = await run(
      Self.letIn, accepted: [Self.letIn], dropped: [Self.alert], isBound: true)
    #expect(proved.state == .passed)
  }

  @Test("Nothing is proved without a positive control")
  func noControl() async {
    for control in [Self.down, Self.cut, Self.alert] {
      #expect(await run(control, dropped: [Self.alert]).state == .waiting)
    }
  }

  @Test("A client that is let in, or a port that is closed, is no refusal")
  func noRefusal() async {
    let untrusted = TalosFailure.untrusted("x", .peerNotTrusted(.unknownIssuer))
    for dropped in [Self.letIn, Self.down, .failure(untrusted)] {
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
    let cut = ConnectionEnd.cut("read: Connection reset by peer")
    let ends: [(ConnectionEnd?, Bool)] = [
      (nil, false), (.refused, false), (.timedOut("connecting took long"), false),
      (.goAway(GoAway(errorCode: .noError)), false), (cut, true),
      (.addresses([.init(address: "a", end: cut), .init(address: "b", end: cut)]), true),
      (.addresses([.init(address: "a", end: cut), .init(address: "b", end: .refused)]), false),
    ]
    for (end, isCutOff) in ends {
      let failure = TalosFailure.unreachable("the peer closed the connection", end)
      #expect(failure.isCutOff == isCutOff && failure.isNoConnection == !isCutOff, "\(failure)")
    }
    #expect(!TalosFailure.rejected("x", .certificateRefused(alert: 48)).isCutOff)
  }
}

extension LivingMachines {
  @Suite("Who is dialled again")
  struct DialledAgainTests {
    @Test(
      "A worker whose apid did not answer the first dial is asked again, and the refusal is proved")
    func again() async throws {
      let harness = try await DriverHarness.start("127.1.95.0", controlPlanes: 1, workers: 1)
      let record = try await harness.importCluster()
      var change = try await harness.change(.talosCA, record)
      // What is undone here was never done: the machines accept the old CA alone.
      change.direction = .backward
      let access = ClusterAccess(cluster: record, rotation: change)
      func look(_ machine: Machine) -> MachineLook {
        MachineLook(change: access.rotation!, machine: machine, access: access, occasion: .turn)
      }
      for machine in record.machines {
        let trust = try ChangeTrust(change, machine.role, harness.driver.keyring)
        let results = await harness.driver.probeTalos(
          look(machine), trust, .failure(.unreachable("apid restarts", .refused)))
        #expect(
          results.map(\.name) == [CheckName.clientAccepted, .oldRefused].map(\.rawValue),
          "\(results)")
        #expect(results.allSatisfy { $0.state == .passed }, "\(results)")
      }
      // One that cannot be reached at all is told from that.
      var gone = record.machines[1]
      gone.port = 1
      let trust = try ChangeTrust(change, gone.role, harness.driver.keyring)
      let results = await harness.driver.probeTalos(
        look(gone), trust, .failure(.unreachable("nobody", .refused)))
      #expect(results.map(\.state) == [.notApplicable])
      await harness.cluster.stop()
    }
  }
}
