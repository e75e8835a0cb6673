import Rotation
import Testing

@testable import Orchestrator

/// What others are told of, from what is on record.
@Suite("Events of a cluster, from what is on record")
struct ClusterEventTests {
  private static func at(_ seconds: Int64) -> Instant { Instant(secondsSince1970: seconds) }

  private static func authority(_ name: String) -> SealedAuthority {
    SealedAuthority(
      certificatePEM: "-- \(name)", fingerprint: name, sealedKey: [1],
      binding: AuthorityBinding(cluster: "demo", component: .talosCA))
  }

  private static let cluster = ClusterRecord(
    name: "demo", endpoints: [], kubernetesEndpoint: "",
    authorities: [.talosCA: authority("old"), .kubernetesCA: authority("kube")], machines: [],
    talosVersion: "v1.10.0", activeRotation: "r-1", rotationCount: 1, revision: 7)

  private static func rotation(
    _ state: RotationMachine.State, finishedAt: Instant? = nil, ordinal: UInt64 = 1
  ) -> RotationRecord {
    RotationRecord(
      id: "r-\(ordinal)", cluster: "demo", ordinal: ordinal, component: .talosCA,
      old: authority("old"), new: authority("new"), state: state, notes: [], reason: "",
      requester: "", startedAt: at(100), updatedAt: at(900), finishedAt: finishedAt, revision: 9)
  }

  private static func machine(
    _ name: String, _ role: MachineRole = .controlPlane, _ state: MachineState = .pending,
    times: [StageTimes] = []
  ) -> MachineProgress {
    MachineProgress(
      machine: Machine(id: name, address: "10.0.0.1", role: role), state: state, times: times)
  }

  private func events(
    _ rotations: [RotationRecord], cluster: ClusterRecord = Self.cluster,
    expiries: [SecretComponent: Instant] = [:], isOutdated: Bool = false, now: Int64 = 1000
  ) -> [ClusterEvent] {
    ClusterEvent.all(
      of: cluster, rotations: rotations, expiries: expiries, isOutdated: isOutdated,
      at: Self.at(now))
  }

  private func shown(_ events: [ClusterEvent]) -> [String] {
    events.map { "\($0.time.secondsSince1970) \($0.key.dropFirst(2).joined(separator: " "))" }
  }

  @Test("A cluster of which nothing is to be told has no events")
  func nothing() {
    #expect(events([]) == [])
  }

  @Test("A rotation has begun, each stage at the first turn of a machine, and has ended")
  func course() {
    let times = [
      StageTimes(phase: .preRotate, begunAt: Self.at(110), verifiedAt: Self.at(120)),
      StageTimes(phase: .rotate, begunAt: Self.at(130), verifiedAt: Self.at(140)),
    ]
    let earlier = [StageTimes(phase: .preRotate, begunAt: Self.at(105), verifiedAt: Self.at(108))]
    let machines = [Self.machine("a", times: times), Self.machine("b", times: earlier)]
    let stage = Stage(phase: .rotate, machines: machines)
    let running = events([Self.rotation(.gating(stage, Gate()))])
    #expect(
      shown(running) == [
        "100 started", "105 stage PRE_ROTATE forward", "130 stage ROTATE forward",
      ])
    let over = events([Self.rotation(.succeeded(stage), finishedAt: Self.at(200))])
    #expect(shown(over) == shown(running) + ["200 ended"])
    #expect(over.allSatisfy { !$0.isCondition && $0.rotation?.rotationID == "r-1" })
  }

  @Test("A rotation that ended before any machine was touched has begun and ended")
  func short() {
    for state: RotationMachine.State in [.failed(reason: "no"), .aborted(by: "uid:0", nil)] {
      #expect(
        shown(events([Self.rotation(state, finishedAt: Self.at(150))]))
          == ["100 started", "150 ended"])
    }
  }

  @Test("The way back is told once, and each stage that is undone")
  func back() {
    let times = [
      StageTimes(phase: .preRotate, begunAt: Self.at(110), verifiedAt: Self.at(120)),
      StageTimes(phase: .preRotate, direction: .backward, begunAt: Self.at(140)),
    ]
    let stage = Stage(
      phase: .preRotate, machines: [Self.machine("a", times: times)],
      reversal: Reversal(requester: "uid:0", requestedAt: Self.at(130), from: .preRotate))
    let events = events([Self.rotation(.rolling(stage))])
    #expect(
      shown(events) == [
        "100 started", "110 stage PRE_ROTATE forward", "130 abort",
        "140 stage PRE_ROTATE backward",
      ])
    #expect(events[2].kind == .abortRequested(by: "uid:0", in: .preRotate))
  }

  @Test("A wait is told by whom it is for and since when; a further try does not begin another one")
  func waits() {
    func waiting(
      _ state: (Effort) -> MachineState, since: Int64?, error: String = "no answer"
    )
      -> [String]
    {
      let effort = Effort(
        attempts: 3, failures: 9, lastError: error, waitingSince: since.map { Self.at($0) })
      let machines = [Self.machine("a", .controlPlane, state(effort)), Self.machine("b")]
      return shown(
        events([Self.rotation(.rolling(Stage(phase: .rotate, machines: machines)))])
      ).filter { $0.contains("waiting") }
    }
    let expected = ["300 waiting ROTATE forward machine a 300000000000"]
    for state: (Effort) -> MachineState in [
      { .waiting($0) }, { .applying($0) }, { .preparing($0) }, { .verifying($0) },
      { .refreshing($0) }, { .confirming($0) }, { .undone($0) },
    ] {
      #expect(waiting(state, since: 300) == expected)
      #expect(waiting(state, since: nil) == [])
    }
    #expect(waiting({ .verified($0) }, since: 300) == [])
    #expect(waiting({ .waiting($0) }, since: 300, error: "") == [])
  }

  @Test("The list of members and the gate are waited for too")
  func otherWaits() {
    let effort = Effort(failures: 1, lastError: "no answer", waitingSince: Self.at(300))
    let stage = Stage(phase: .rotate, machines: [Self.machine("a")], listing: effort)
    #expect(
      shown(events([Self.rotation(.assembling(effort))])).last
        == "300 waiting   members 300000000000")
    #expect(
      shown(events([Self.rotation(.rolling(stage))])).last
        == "300 waiting ROTATE forward members 300000000000")
    #expect(
      shown(events([Self.rotation(.gating(stage, Gate(effort: effort)))])).suffix(2) == [
        "300 waiting ROTATE forward cluster 300000000000",
        "300 waiting ROTATE forward members 300000000000",
      ])
    #expect(events([Self.rotation(.rolling(stage))]).last?.isCondition == true)
  }

  @Test("A pause is told by the lock that holds it, and begins when the last machine is done")
  func pauses() {
    let done = [StageTimes(phase: .rotate, begunAt: Self.at(200), verifiedAt: Self.at(400))]
    let machines = [
      Self.machine("a", .controlPlane, .verified(Effort()), times: done),
      Self.machine("b", .worker), Self.machine("c", .worker),
    ]
    let state = RotationMachine.State.rolling(Stage(phase: .rotate, machines: machines))
    func paused(_ locks: Locks) -> [String] {
      var cluster = Self.cluster
      cluster.locks = locks
      return shown(events([Self.rotation(state)], cluster: cluster)).filter {
        $0.contains("paused")
      }
    }
    func lock(_ seconds: Int64) -> Lock {
      Lock(requester: "uid:0", lockedAt: Self.at(seconds), reason: "")
    }
    #expect(paused(Locks()) == [])
    #expect(paused(Locks(cluster: lock(300))) == ["400 paused cluster 300000000000"])
    #expect(paused(Locks(cluster: lock(500))) == ["500 paused cluster 500000000000"])
    #expect(paused(Locks(machines: ["b": lock(500)])) == [])
    #expect(
      paused(Locks(machines: ["b": lock(500), "c": lock(450)]))
        == ["450 paused machine 450000000000"])
  }

  @Test("The wait before POST_ROTATE is one pause, whatever is read meanwhile")
  func soak() {
    let done = [StageTimes(phase: .rotate, begunAt: Self.at(200), verifiedAt: Self.at(400))]
    let stage = Stage(
      phase: .rotate, machines: [Self.machine("a", .worker, .verified(Effort()), times: done)],
      soaking: Soaking(endsAt: nil))
    let soaking = events([Self.rotation(.gating(stage, Gate(step: .soak)))])
    #expect(shown(soaking).last == "400 paused soak")
  }

  @Test(
    "A hook that holds a stage is a pause of its own, before each stage, and not the wait before POST_ROTATE"
  )
  func held() {
    let done = [StageTimes(phase: .preRotate, begunAt: Self.at(200), verifiedAt: Self.at(400))]
    func stage(_ phase: RotationPhase, holding held: RotationPhase, since: Int64) -> Stage {
      var effort = Effort()
      effort.waitingSince = Self.at(since)
      effort.lastError = "hook window: not now"
      return Stage(
        phase: phase, machines: [Self.machine("a", .worker, .verified(Effort()), times: done)],
        hold: StageHold(phase: held, hook: "window", answer: "not now", effort: effort))
    }
    func last(_ state: RotationMachine.State) -> String? {
      shown(events([Self.rotation(state)])).last
    }
    #expect(
      last(.gating(stage(.preRotate, holding: .rotate, since: 500), Gate(step: .hooks)))
        == "500 paused hooks ROTATE 500000000000")
    #expect(
      last(.gating(stage(.rotate, holding: .postRotate, since: 600), Gate(step: .hooks)))
        == "600 paused hooks POST_ROTATE 600000000000")
    #expect(
      last(.rolling(stage(.preRotate, holding: .preRotate, since: 300)))
        == "300 paused hooks PRE_ROTATE 300000000000")
  }

  @Test("Of an authority the nearest threshold that has been passed is told")
  func expiry() {
    let end: Int64 = 100 * 86_400
    func told(_ now: Int64) -> [String] {
      events([], expiries: [.talosCA: Self.at(end)], now: now).map {
        "\($0.time.secondsSince1970) \($0.key.joined(separator: " "))"
      }
    }
    #expect(told(end - 30 * 86_400 - 1) == [])
    for (before, until) in [(30 * 86_400, 7 * 86_400), (7 * 86_400, 86_400), (86_400, 0)] {
      for now in [end - Int64(before), end - Int64(until) - 1] {
        #expect(told(now) == ["\(end - Int64(before)) demo expiring old \(before)"])
      }
    }
    for now in [end, end + 1_000_000] { #expect(told(now) == ["\(end) demo expiring old 0"]) }
  }

  private static func credential(
    _ serial: String, lasting days: Int64, until end: Int64,
    _ component: SecretComponent = .talosCA,
    authority: String = "old"
  ) -> HeldCredential {
    HeldCredential(
      component: component, authority: authority, holder: "uid:0", roles: ["os:admin"],
      serial: serial, issuedAt: at(end - days * 86_400), expiresAt: at(end))
  }

  private func told(_ credentials: [HeldCredential], now: Int64) -> [String] {
    var cluster = Self.cluster
    cluster.credentials = HeldCredentials(credentials)
    let events = events([], cluster: cluster, now: now)
    #expect(events.allSatisfy { $0.isCondition })
    return events.map { "\($0.time.secondsSince1970) \($0.key.joined(separator: " "))" }
  }

  @Test(
    "A credential that was issued for long is told of from seven days before its end until then, as one event"
  )
  func credential() {
    let end: Int64 = 100 * 86_400
    let notice = end - 7 * 86_400
    let held = [
      Self.credential("0a", lasting: 30, until: end),
      Self.credential("0b", lasting: 30, until: end, .kubernetesCA, authority: "kube"),
    ]
    #expect(told(held, now: notice - 1) == [])
    for now in [notice, end - 1] {
      #expect(
        told(held, now: now) == [
          "\(notice) demo credential kube 0b", "\(notice) demo credential old 0a",
        ])
    }
    #expect(told(held, now: end) == [])
  }

  @Test("Of a credential that lives no longer than the notice, or is refused already, is not told")
  func shortCredentials() {
    let end: Int64 = 100 * 86_400
    let held = [
      Self.credential("0a", lasting: 7, until: end), Self.credential("0b", lasting: 1, until: end),
      Self.credential("0c", lasting: 30, until: end, authority: "older"),
      Self.credential("0d", lasting: 30, until: end, .kubernetesCA, authority: "old"),
    ]
    for now in [end - 8 * 86_400, end - 7 * 86_400, end - 86_400, end - 1, end] {
      #expect(told(held, now: now) == [])
    }
  }

  @Test("Of very many credentials the first to end are told of, and the next when those have ended")
  func manyCredentials() {
    let end: Int64 = 100 * 86_400
    let held = (0..<40).map { number in
      Self.credential("\(100 + number)", lasting: 30, until: end + Int64(number))
    }
    func serials(_ now: Int64) -> [String] {
      told(held.shuffled(), now: now).compactMap { $0.split(separator: " ").last.map(String.init) }
    }
    #expect(serials(end - 86_400) == (100..<116).map(String.init))
    #expect(serials(end + 2) == (103..<119).map(String.init))
  }

  @Test("A retired authority that is back is told of each machine, by when it was first seen")
  func returned() {
    var cluster = Self.cluster
    cluster.returned = ["a", "b"].map {
      ReturnedAuthority(
        machine: $0, component: .talosCA, fingerprint: "older", since: Self.at(500))
    }
    let told = events([], cluster: cluster)
    #expect(
      told.map(\.key)
        == ["a", "b"].map {
          ["demo", "returned", $0, "talos-ca", "older", "500000000000"]
        })
    cluster.returned[0].since = Self.at(600)
    #expect(Set(events([], cluster: cluster).map(\.key)).union(told.map(\.key)).count == 3)
  }

  @Test("A record that is out of date is told of once for the authorities that it holds")
  func outdated() {
    let first = events([], isOutdated: true, now: 1000)
    #expect(first.map(\.key) == [["demo", "outdated", "old", "kube"]])
    #expect(events([], isOutdated: true, now: 2000).map(\.key) == first.map(\.key))
  }
}
