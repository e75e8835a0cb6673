import ProtoCodec
import Rotation
import Schema
import Testing

@testable import ManagementService
@testable import Orchestrator

/// What others are told with an event.
@Suite("The data of events")
struct EventDataTests {
  private typealias Effort = Rotation.Effort

  private static func at(_ seconds: Int64) -> Rotation.Instant {
    Rotation.Instant(secondsSince1970: seconds)
  }

  private static func authority(_ name: String) -> SealedAuthority {
    SealedAuthority(
      certificatePEM: "-- \(name)", fingerprint: name, sealedKey: Array("sealed".utf8),
      binding: AuthorityBinding(cluster: "demo", component: .talosCA))
  }

  private static func cluster() -> ClusterRecord {
    ClusterRecord(
      name: "demo", endpoints: [], kubernetesEndpoint: "",
      authorities: [.talosCA: authority("old")], machines: [], talosVersion: "v1.10.0",
      activeRotation: "r-1", rotationCount: 1, revision: 7)
  }

  private static func rotation(
    _ state: RotationMachine.State, finishedAt: Rotation.Instant? = nil, reason: String = "drill"
  ) -> RotationRecord {
    RotationRecord(
      id: "r-1", cluster: "demo", ordinal: 1, component: .talosCA, old: authority("old"),
      new: authority("new"), state: state, notes: [], reason: reason, cause: .routine,
      requester: "uid:0", elapsed: .seconds(90), startedAt: at(100), updatedAt: at(900),
      finishedAt: finishedAt, revision: 9)
  }

  private func texts(
    _ rotations: [RotationRecord], cluster: ClusterRecord = cluster(),
    expiries: [Rotation.SecretComponent: Rotation.Instant] = [:], isOutdated: Bool = false
  ) throws -> [String] {
    try ClusterEvent.all(
      of: cluster, rotations: rotations, expiries: expiries, isOutdated: isOutdated,
      at: Self.at(1000)
    ).map { String(decoding: try EventData.json(of: $0), as: UTF8.self) }
  }

  @Test("What a rotation began with is told the same at every time")
  func started() throws {
    let expected =
      #"{"cluster":"demo","rotationId":"r-1","component":"SECRET_COMPONENT_TALOS_CA","#
      + #""state":"ROTATION_STATE_RUNNING","startedAt":"1970-01-01T00:01:40Z","#
      + #""oldCaFingerprint":"old","newCaFingerprint":"new","reason":"drill","requester":"uid:0","#
      + #""cause":"ROTATION_CAUSE_ROUTINE"}"#
    let stage = Stage(phase: .rotate, machines: [])
    for state: RotationMachine.State in [
      .assembling(Effort()), .rolling(stage), .gating(stage, Gate()), .succeeded(stage),
      .failed(reason: "no"), .aborted(by: "uid:0", stage),
    ] {
      #expect(try texts([Self.rotation(state, finishedAt: Self.at(300))]).first == expected)
    }
  }

  @Test("The data is a message of the API, and reads back as one")
  func messages() throws {
    let times = [StageTimes(phase: .preRotate, begunAt: Self.at(110), verifiedAt: Self.at(120))]
    let effort = Effort(
      checks: [
        CheckRecord(
          result: CheckResult(.machines, .failed, "no answer\u{1b}[31m"), since: Self.at(1)),
        CheckRecord(result: CheckResult(.oldRefused, .passed), since: Self.at(1)),
      ], lastError: "no answer", waitingSince: Self.at(400))
    let machine = MachineProgress(
      machine: Rotation.Machine(id: "cp-1", address: "10.0.0.1", role: .controlPlane),
      state: .waiting(effort), times: times)
    let stage = Stage(
      phase: .preRotate, machines: [machine],
      reversal: Reversal(requester: "uid:7", requestedAt: Self.at(200), from: .preRotate))
    let told = try texts([Self.rotation(.rolling(stage))])
      .map { try RotationStatus(json: $0) }
    #expect(
      told.map(\.state) == [.running, .running, .aborting, .aborting])
    #expect(told[1].phase == .preRotate)
    #expect(told[2].notes == ["aborted by uid:7"] && told[2].phase == .preRotate)
    let waiting = told[3]
    #expect(waiting.machines.map(\.machine) == ["cp-1"])
    #expect(waiting.machines[0].checks.map(\.detail) == ["no answer\u{fffd}[31m"])
    #expect(waiting.machines[0].lastError == "no answer")
    #expect(waiting.error.hasPrefix("cp-1: no answer"))
  }

  @Test("The end says how, when and what to do next")
  func ended() throws {
    let stage = Stage(
      phase: .postRotate, machines: [], closing: ClosingLook(at: Self.at(290), checks: []))
    let text = try #require(
      try texts([Self.rotation(.succeeded(stage), finishedAt: Self.at(300))]).last)
    let status = try RotationStatus(json: text)
    #expect(status.state == .succeeded && status.finishedAt?.seconds == 300)
    #expect(status.refusedEverywhereAt?.seconds == 290 && status.elapsed?.seconds == 90)
    #expect(!status.nextSteps.isEmpty)
  }

  @Test("Expiry, drift and records that are out of date are told as the API tells them")
  func clusters() throws {
    var cluster = Self.cluster()
    cluster.returned = [
      ReturnedAuthority(
        machine: "cp-1", component: .talosCA, fingerprint: "older", since: Self.at(500))
    ]
    let told = try texts(
      [], cluster: cluster, expiries: [.talosCA: Self.at(900)], isOutdated: true)
    #expect(told.count == 3)
    #expect(
      told.contains(
        #"{"component":"SECRET_COMPONENT_TALOS_CA","fingerprint":"old","notAfter":"1970-01-01T00:15:00Z"}"#
      ))
    #expect(told.contains(#"{"name":"demo"}"#))
    let held = Orchestrator.HeldCredential(
      component: .talosCA, authority: "old", holder: "uid:7", roles: ["os:admin"], serial: "0a1b",
      issuedAt: Self.at(-30 * 86_400), expiresAt: Self.at(1500))
    cluster.returned = []
    cluster.credentials = HeldCredentials([held])
    #expect(
      try texts([], cluster: cluster) == [
        #"{"holder":"uid:7","roles":["os:admin"],"serial":"0a1b","issuedAt":"1969-12-02T00:00:00Z","#
          + #""expiresAt":"1970-01-01T00:25:00Z","component":"SECRET_COMPONENT_TALOS_CA"}"#
      ])
    let drift = try #require(told.first { $0.contains("older") })
    let returned = try ReturnedCA(json: drift)
    #expect(returned.machine == "cp-1" && returned.fingerprint == "older")
  }

  @Test("Whatever people and machines say, an event is small and holds no key")
  func bounded() throws {
    let long = String(repeating: "x\u{202e}\n", count: 2_000)
    let effort = Effort(
      checks: (0..<40).map { _ in
        CheckRecord(result: CheckResult(.machines, .failed, long), since: Self.at(1))
      }, lastError: long, waitingSince: Self.at(400))
    let machines = (0..<40).map {
      MachineProgress(
        machine: Rotation.Machine(id: "m-\($0)", address: "10.0.0.1", role: .worker),
        state: .waiting(effort))
    }
    let stage = Stage(phase: .rotate, machines: machines, listing: effort)
    let rotation = Self.rotation(.rolling(stage), reason: long)
    let told = try texts([rotation])
    #expect(told.count == 42)
    for text in told {
      #expect(text.utf8.count < 40_000)
      #expect(!text.contains("sealed") && !text.contains("\u{202e}") && !text.contains("\\n"))
    }
  }
}
