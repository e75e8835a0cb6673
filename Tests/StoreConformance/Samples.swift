public import Orchestrator
public import Rotation

/// Records with something in every field, for tests of stores.
public enum Sample {
  public static let instant = Instant(nanosecondsSince1970: 1_795_455_778_123_456_789)

  public static func authority(_ name: String, _ binding: AuthorityBinding) -> SealedAuthority {
    SealedAuthority(
      certificatePEM: "-----BEGIN CERTIFICATE-----\n\(name)\n", fingerprint: name,
      sealedKey: [0, 1, 255, 0], binding: binding)
  }

  /// The authority that a cluster of that name was imported with.
  public static func imported(_ component: SecretComponent, cluster: String) -> SealedAuthority {
    authority(
      component.rawValue, AuthorityBinding(cluster: cluster, component: component))
  }

  public static func cluster(_ name: String, count: UInt64 = 0) -> ClusterRecord {
    ClusterRecord(
      name: name, endpoints: ["10.0.0.1", "[fd00::1]:50000"],
      kubernetesEndpoint: "https://10.0.0.1:6443",
      authorities: [
        .talosCA: imported(.talosCA, cluster: name),
        .kubernetesCA: imported(.kubernetesCA, cluster: name),
      ],
      machines: machines, talosVersion: "v1.10.2", importedAt: instant,
      activeRotation: count > 0 ? "r\(count)" : nil, rotationCount: count)
  }

  public static let machines = [
    Machine(id: "cp-1", address: "10.0.0.1", role: .controlPlane),
    Machine(id: "w-1", address: "fd00::2", role: .worker, port: 51_000),
  ]

  public static func rotation(
    _ id: String, cluster: String = "demo", ordinal: UInt64 = 1,
    state: RotationMachine.State = .assembling(Effort())
  ) -> RotationRecord {
    RotationRecord(
      id: id, cluster: cluster, ordinal: ordinal, component: .kubernetesCA,
      old: imported(.kubernetesCA, cluster: cluster),
      new: authority(
        "new",
        AuthorityBinding(cluster: cluster, component: .kubernetesCA, rotation: id)),
      state: state, notes: ["w-2 left", "ß"],
      reason: "leaked\nkubeconfig", requester: "uid:1000", startedAt: instant,
      updatedAt: instant.advanced(by: .seconds(1)))
  }

  public static func request(
    _ id: String, cluster: String = "demo", ordinal: UInt64 = 1
  ) -> RequestRecord {
    RequestRecord(
      id: id, cluster: cluster, component: .talosCA, rotation: "r\(ordinal)", ordinal: ordinal,
      attached: true, answeredAt: instant)
  }

  public static let effort = Effort(
    attempts: 3, failures: 2, repetitions: 1,
    checks: CheckResult.State.allCases.map {
      CheckRecord(
        result: CheckResult(named: $0.rawValue, $0, "seen"), since: instant, lastError: "was wrong")
    }, lastError: "no route", waitingSince: instant,
    nextAttemptAt: Instant(nanosecondsSince1970: -1_500_000_000))

  /// Every state, and every machine state, that there was when the golden stores were made.
  public static var states: [RotationMachine.State] {
    let machineStates: [MachineState] = [
      .pending, .applying(effort), .waiting(effort), .verifying(Effort()), .verified(effort),
    ]
    let progress = machineStates.enumerated().map {
      MachineProgress(
        machine: Machine(id: "m-\($0.offset)", address: "10.0.0.\($0.offset)", role: .worker),
        state: $0.element, missingSince: $0.offset == 1 ? instant : nil)
    }
    let stages = RotationPhase.allCases.map {
      Stage(phase: $0, machines: progress, listing: $0 == .rotate ? effort : Effort())
    }
    return [.assembling(Effort()), .assembling(effort), .failed(reason: "Talos is too old")]
      + stages.map { .rolling($0) } + stages.map { .succeeded($0) }
      + Gate.Step.allCases.map { .gating(stages[1], Gate(step: $0, effort: effort)) }
  }

  /// The states, and the machine states, that have come since.
  public static var newerStates: [RotationMachine.State] {
    let machineStates: [MachineState] = [
      .preparing(effort), .refreshing(effort), .persisting(effort), .confirming(effort),
      .undone(effort),
    ]
    let progress = machineStates.enumerated().map {
      MachineProgress(
        machine: Machine(id: "m-\($0.offset)", address: "10.0.0.\($0.offset)", role: .worker),
        state: $0.element, absence: "dropped once it has no node", touched: true,
        isUnsent: $0.offset % 2 == 0,
        baseline: Baseline(["seen": "before"]),
        times: [
          StageTimes(phase: .preRotate, begunAt: instant, verifiedAt: instant),
          StageTimes(phase: .preRotate, direction: .backward, begunAt: instant),
        ])
    }
    let undone = RotationPhase.allCases.map {
      Stage(
        phase: $0, machines: progress, planesConfirmed: true,
        reversal: Reversal(requester: "uid:0", requestedAt: instant, from: $0))
    }
    let soaking = Stage(
      phase: .rotate, machines: progress, soaking: Soaking(endsAt: instant, isOver: true))
    return undone.map { .rolling($0) } + [
      .gating(soaking, Gate(step: .soak)),
      .rolling(
        Stage(
          phase: .rotate, machines: progress, soaking: Soaking(endsAt: nil),
          reachability: Reachability(at: instant, unreachable: ["m-1", "m-2"]))),
      .rolling(
        Stage(
          phase: .preRotate, machines: [], hold: StageHold(phase: .preRotate))),
      .gating(
        Stage(
          phase: .rotate, machines: progress,
          hold: StageHold(
            phase: .postRotate, hook: "10-window", answer: "from 01:00 to 05:00",
            effort: effort)), Gate(step: .hooks)),
      .gating(undone[0], Gate()), .aborted(by: "uid:0", nil), .aborted(by: "", undone[0]),
      .succeeded(
        Stage(
          phase: .postRotate, machines: progress,
          closing: ClosingLook(at: instant, checks: effort.checks))),
    ]
  }
}
