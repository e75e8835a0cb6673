import Rotation
import Synchronization
import TestSupport
import Testing

@testable import Orchestrator

/// Which authorities others have to trust, at every point of a rotation.
@Suite("Trust of a cluster, from what is on record")
struct ClusterTrustTests {
  private static func authority(_ name: String) -> SealedAuthority {
    SealedAuthority(
      certificatePEM: "-- \(name)", fingerprint: name, sealedKey: [1],
      binding: AuthorityBinding(cluster: "demo", component: .talosCA))
  }

  private static let cluster = ClusterRecord(
    name: "demo", endpoints: [], kubernetesEndpoint: "",
    authorities: [.talosCA: authority("old"), .kubernetesCA: authority("kube")], machines: [],
    talosVersion: "v1.10.0", activeRotation: "r-1", revision: 7)

  private static func rotation(
    _ state: RotationMachine.State, isAdopted: Bool = false
  ) -> RotationRecord {
    RotationRecord(
      id: "r-1", cluster: "demo", ordinal: 1, component: .talosCA, old: authority("old"),
      new: authority("new"), state: state, notes: [], reason: "", requester: "",
      isAdopted: isAdopted, startedAt: Instant(secondsSince1970: 1),
      updatedAt: Instant(secondsSince1970: 1), revision: 9)
  }

  private static func stage(_ phase: RotationPhase, back: Bool = false) -> Stage {
    Stage(
      phase: phase, machines: [],
      reversal: back
        ? Reversal(requester: "", requestedAt: Instant(secondsSince1970: 1), from: phase) : nil)
  }

  private func shown(_ state: RotationMachine.State) throws -> [String] {
    let trust = ClusterTrust(Self.cluster, rotation: Self.rotation(state), isOutdated: false)
    return try #require(trust[.talosCA]).authorities.map {
      $0.fingerprint + ($0.isIssuing ? "*" : "")
    }
  }

  @Test(
    "Both authorities are trusted in every stage and on the way back; the one that issues is first")
  func stages() throws {
    #expect(try shown(.assembling(Effort())) == ["old*", "new"])
    let expected: [(RotationPhase, [String])] = [
      (.preRotate, ["old*", "new"]), (.rotate, ["old*", "new*"]), (.postRotate, ["new*", "old"]),
    ]
    for (phase, fingerprints) in expected {
      for back in [false, true] {
        let stage = Self.stage(phase, back: back)
        #expect(try shown(.rolling(stage)) == fingerprints, "\(phase) \(back)")
        #expect(try shown(.gating(stage, Gate())) == fingerprints, "\(phase) \(back)")
      }
    }
  }

  @Test("Whatever a machine may present in a stage is trusted in it, by the plan of trust itself")
  func plan() throws {
    for phase in RotationPhase.allCases {
      for direction in RotationDirection.allCases {
        for role in MachineRole.allCases {
          let bundle = TrustPlan.bundle(.talosCA, phase, role, direction)
          let trusted = try shown(.rolling(Self.stage(phase)))
          let issuing = bundle.issuing == .old ? "old*" : "new*"
          #expect(trusted.contains(issuing), "\(phase) \(direction) \(role)")
          #expect(bundle.accepted.count <= trusted.count)
        }
      }
    }
  }

  @Test("The other component, and a cluster without a rotation, have the one in use")
  func idle() {
    let during = ClusterTrust(
      Self.cluster, rotation: Self.rotation(.rolling(Self.stage(.rotate))), isOutdated: false)
    #expect(during.revision == 9)
    #expect(during[.kubernetesCA]?.authorities.map(\.fingerprint) == ["kube"])
    #expect(during[.kubernetesCA]?.rotation == "" && during[.talosCA]?.rotation == "r-1")
    let idle = ClusterTrust(Self.cluster, rotation: nil, isOutdated: true)
    #expect(idle.revision == 7 && idle.isOutdated)
    #expect(idle[.talosCA]?.authorities.map(\.generation) == [nil])
    var talosAlone = Self.cluster
    talosAlone.authorities[.kubernetesCA] = nil
    #expect(
      ClusterTrust(talosAlone, rotation: nil, isOutdated: false).bundles.map(\.component)
        == [.talosCA])
  }

  @Test("What another tool has replaced is trusted until no machine is known to use it")
  func predecessor() {
    var cluster = Self.cluster
    cluster.predecessors[.talosCA] = Self.authority("before")
    let trust = ClusterTrust(cluster, rotation: nil, isOutdated: false)
    #expect(trust[.talosCA]?.authorities.map(\.fingerprint) == ["old", "before"])
  }

  @Test("A retired authority that is being taken out again is trusted by nobody for that")
  func healing() throws {
    var cluster = Self.cluster
    cluster.authorities[.talosCA] = Self.authority("new")
    let state = RotationMachine.State.rolling(Self.stage(.postRotate))
    let healing = ClusterTrust(
      cluster, rotation: Self.rotation(state, isAdopted: true), isOutdated: false)
    #expect(healing[.talosCA]?.authorities.map(\.fingerprint) == ["new"])
    // One that another tool has begun, and whose old authority is the one on record, keeps both.
    let taken = ClusterTrust(
      Self.cluster, rotation: Self.rotation(state, isAdopted: true), isOutdated: false)
    #expect(taken[.talosCA]?.authorities.map(\.fingerprint) == ["new", "old"])
  }

  @Test("No key is in it, not even sealed, and the text is PEM after PEM")
  func text() throws {
    let trust = try #require(
      ClusterTrust(
        Self.cluster, rotation: Self.rotation(.rolling(Self.stage(.rotate))), isOutdated: false)[
          .talosCA])
    #expect(trust.pem == "-- old\n-- new\n")
  }
}

/// Lays out in simulated time what it is given, and sees whether that comes before the machines.
private final class RecordingPublisher: TrustPublisher {
  private struct State {
    var world: World?
    var published: Set<String> = []
    var tooLate: [String] = []
    var calls = 0
  }

  private let state = Mutex(State())

  func watch(_ world: World) { state.withLock { $0.world = world } }

  var published: Set<String> { state.withLock { $0.published } }
  var tooLate: [String] { state.withLock { $0.tooLate } }
  var calls: Int { state.withLock { $0.calls } }

  func publish(_ trust: ClusterTrust) async {
    let world = state.withLock { state in
      state.calls += 1
      return state.world
    }
    // Files take their time, and a process may die meanwhile.
    try? await world?.clock.sleep(for: .seconds(2))
    guard !Task.isCancelled else { return }
    let touched = world?.demo.state.withLock {
      $0.seen.values.reduce(into: Set()) { $0.formUnion($1) }
    }
    state.withLock { state in
      for authority in trust.bundles.flatMap(\.authorities)
      where state.published.insert(authority.fingerprint).inserted {
        if touched?.contains(authority.fingerprint) == true {
          state.tooLate.append(authority.fingerprint)
        }
      }
    }
  }
}

@Suite("Trust is laid out before a rotation acts, in simulated time", .serialized)
struct TrustPublisherTests {
  @Test("Death at every step: no machine learns of an authority that was not laid out before")
  func deathAtEveryStep() throws {
    for lifetime in stride(from: 1, through: 200, by: 3) {
      let publisher = RecordingPublisher()
      let world = World(
        seed: UInt64(lifetime), controlPlanes: 1, workers: 1, trustPublisher: publisher)
      publisher.watch(world)
      try world.bootWithClusters().stop()
      let process = try world.boot(lifetime: lifetime)
      let ticket = try? process.rotate(requestID: "one")
      let end = try ticket == nil ? nil : process.runToEnd()
      try process.kill()
      if end == nil {
        let again = try world.boot()
        _ = try again.rotate(requestID: "one")
        #expect(try again.runToEnd()?.state == .succeeded)
        try again.kill()
      }
      let seen = world.demo.state.withLock { $0.seen[.talosCA] ?? [] }
      #expect(seen.count == 2 && seen.isSubset(of: publisher.published), "lifetime \(lifetime)")
      #expect(publisher.tooLate == [], "lifetime \(lifetime)")
      world.expectUnbroken("lifetime \(lifetime)")
      if end != nil { return #expect(lifetime > 30) }
    }
    Issue.record("no life was long enough")
  }

  @Test("Each restart lays it out again, because the files may have been lost meanwhile")
  func restart() throws {
    let publisher = RecordingPublisher()
    let world = World(seed: 5, controlPlanes: 1, workers: 1, trustPublisher: publisher)
    publisher.watch(world)
    var process = try world.bootWithClusters()
    _ = try process.rotate(options: RotationOptions(soak: .untilContinued))
    try process.pass(.seconds(600))
    #expect(publisher.calls == 1)
    try process.kill()
    process = try world.boot()
    try process.pass(.seconds(60))
    #expect(publisher.calls == 2)
    try process.stop()
  }
}
