/// Brings the machines of a stage in line with the members of the cluster.
struct Roster {
  private let members: [Machine]
  private let departures: [String: Departure]
  private let waited: [String: Duration]
  private let departureGrace: Duration

  /// - Parameters:
  ///   - members: none of the same name as another.
  ///   - departures: what is known of machines that are none of the members, by name.
  ///   - waited: for how long such machines have been missing, by a clock that is never set; by the wall clock without it.
  init(
    members: [Machine], departures: [String: Departure], waited: [String: Duration] = [:],
    departureGrace: Duration
  ) {
    self.waited = waited
    self.members = members.sorted(by: RolloutPolicy.precedes)
    self.departures = departures
    self.departureGrace = departureGrace
  }

  /// A name that two of the members bear; nil where there is none.
  static func repeated(_ members: [Machine]) -> String? {
    var seen: Set<String> = []
    return members.first { !seen.insert($0.id).inserted }?.id
  }

  /// Every member, its turn yet to come.
  func beginning() -> [MachineProgress] {
    members.map { MachineProgress(machine: $0, isUnsent: true) }
  }

  /// Adds who has joined, drops who has left and is gone for long enough. Answers what there is to note.
  func update(_ stage: inout Stage, at now: Instant) -> [String] {
    var notes: [String] = []
    let present = Dictionary(uniqueKeysWithValues: members.map { ($0.id, $0) })
    let names = Set(stage.machines.map(\.machine.id))
    stage.machines = stage.machines.compactMap { progress in
      var progress = progress
      let known = progress.machine
      if let member = present[progress.machine.id] {
        if let note = Self.replaced(progress.machine, by: member, in: stage.phase) {
          // What was verified, and what was seen before it was changed, was another machine's.
          progress.state = .pending
          progress.baseline = nil
          progress.times = []
          notes.append(note)
        }
        progress.machine = member
        if member.identity.isEmpty { progress.machine.identity = known.identity }
        progress.missingSince = nil
        progress.absence = ""
        return progress
      }
      // A clock that was set back makes nobody wait for the time in between.
      let since = min(progress.missingSince ?? now, now)
      progress.missingSince = since
      let isMissingForLong =
        (waited[progress.machine.id] ?? since.duration(to: now)) >= departureGrace
      progress.absence = ""
      switch departures[progress.machine.id] ?? .doubted("") {
      case .doubted(let text):
        progress.absence = text.bounded(to: CheckResult.detailLimit)
        return progress
      case .said:
        // One that is merely being restarted is back by then, and what was said of it is withdrawn.
        guard isMissingForLong else { return progress }
        notes.append(
          "\(progress.machine.id) was left out during \(stage.phase.name), because a person has said that it is gone: "
            + "nothing is proved of it")
        return nil
      case .proved:
        guard isMissingForLong else { return progress }
        notes.append("\(progress.machine.id) left the cluster during \(stage.phase.name)")
        return nil
      }
    }
    for member in members where !names.contains(member.id) {
      let role = member.role == .controlPlane ? " as a control plane that holds the CA's key" : ""
      notes.append("\(member.id) joined the cluster during \(stage.phase.name)\(role)")
      stage.machines.append(MachineProgress(machine: member, isUnsent: true))
    }
    stage.machines.sort { RolloutPolicy.precedes($0.machine, $1.machine) }
    // A control plane that was set up anew has its turn before the workers, and is looked at with the others.
    if stage.planes.contains(where: { stage.machines[$0].state.turn != .done }) {
      stage.confirmAgain()
    }
    return notes
  }
}

extension Roster {
  /// Whether another machine has taken the place of the one that is known by this name: nil if not, else what there is to
  /// note.
  private static func replaced(
    _ known: Machine, by member: Machine, in phase: RotationPhase
  ) -> String? {
    if member.role != known.role {
      return member.role == .controlPlane
        ? "\(member.id), which was a worker, is a control plane that holds the CA's key since \(phase.name): its turn comes again"
        : "\(member.id), which was a control plane, is a worker since \(phase.name): its turn comes again"
    }
    guard !known.identity.isEmpty, !member.identity.isEmpty, known.identity != member.identity
    else { return nil }
    return "\(member.id) was set up anew during \(phase.name): its turn comes again"
  }
}

/// What stands between a machine, or the cluster, and being verified.
struct Obstacle: CustomStringConvertible {
  let description: String
  /// The configuration does not hold the change any more.
  let isLostChange: Bool

  /// Nil when every check is passed or not applicable, and at least one was made.
  init?(_ results: [CheckResult]) {
    guard !results.isEmpty else {
      description = "nothing was checked"
      isLostChange = false
      return
    }
    let open = results.filter { !$0.isSettled }
    // A failure says more than something that is merely not there yet.
    guard let first = open.first(where: { $0.state == .failed }) ?? open.first else { return nil }
    let lost = open.first { $0.isNamed(.configApplied) && $0.state == .failed }
    isLostChange = lost != nil
    // A change that is gone explains everything else that is open.
    description = (lost ?? first).explanation
  }
}
