import Daemon
import Rotation
import Synchronization
import Testing

@testable import Orchestrator
@testable import omnid

/// What the log tells of a rotation.
@Suite struct RotationLogTests {
  private static let start = Instant(secondsSince1970: 1)

  private static func snapshot(_ phase: RotationPhase = .rotate) -> RotationSnapshot {
    let binding = AuthorityBinding(cluster: "demo", component: .talosCA)
    func authority(_ name: String) -> SealedAuthority {
      SealedAuthority(certificatePEM: "", fingerprint: name, sealedKey: [7], binding: binding)
    }
    return RotationSnapshot(
      cluster: ClusterRecord(
        name: "demo", endpoints: [], kubernetesEndpoint: "", authorities: [:], machines: [],
        talosVersion: ""),
      rotation: RotationRecord(
        id: "r1", cluster: "demo", ordinal: 1, component: .talosCA, old: authority("old"),
        new: authority("new"), state: .rolling(Stage(phase: phase, machines: [])), notes: ["n"],
        reason: "drill", requester: "uid:0", call: "5e71c0de5e71c0de", startedAt: start,
        updatedAt: start))
  }

  private static func lines(_ event: RotationEvent) -> [String] {
    let lines = Mutex<[String]>([])
    let log = RotationLog(
      logger: Logger(level: .debug, write: { line in lines.withLock { $0.append(line) } }))
    log.log(event, snapshot())
    return lines.withLock { $0 }
  }

  @Test(
    "Every line about a rotation names it, its cluster, component and stage, and the call it follows from",
    arguments: [
      RotationEvent.started, .resumed, .phaseBegan("ROTATE"), .machineInWork("m", phase: "ROTATE"),
      .machineDone("m", phase: "ROTATE"), .machineWaitedFor("m", phase: "ROTATE", error: "down"),
      .clusterWaitedFor("down"), .noted("n"), .succeeded, .paused("locked"), .turnedBack,
      .aborted("by uid:0"), .failed("too old"),
    ])
  func named(_ event: RotationEvent) {
    let lines = Self.lines(event)
    #expect(!lines.isEmpty)
    for line in lines {
      for field in [
        "cluster=demo", "rotation=r1", "component=talos-ca", "stage=ROTATE",
        "call=5e71c0de5e71c0de",
      ] {
        #expect(line.split(whereSeparator: \.isWhitespace).contains(Substring(field)), "\(line)")
      }
    }
  }

  @Test("A machine is named where one is meant, with the stage in which it is")
  func machine() {
    for event in [
      RotationEvent.machineInWork("m", phase: "PRE_ROTATE"), .machineDone("m", phase: "PRE_ROTATE"),
      .machineWaitedFor("m", phase: "PRE_ROTATE", error: "down"),
    ] {
      #expect(Self.lines(event).first?.contains("stage=PRE_ROTATE") == true)
      #expect(Self.lines(event).first?.contains("machine=m") == true)
    }
  }

  @Test("A retired CA that comes back is of no rotation")
  func returned() {
    let returned = ReturnedAuthority(
      machine: "m", component: .kubernetesCA, fingerprint: "f00d", since: Self.start)
    for event in [RotationEvent.authorityReturned(returned), .authorityGone(returned)] {
      let line = Self.lines(event).first ?? ""
      #expect(line.hasSuffix("cluster=demo machine=m component=kubernetes-ca ca=f00d\n"))
    }
  }
}
