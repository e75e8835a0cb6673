/// Brings the machines of a stage in line with the members of the cluster.
struct Roster {
  private let members: [Machine]
  private let departed: Set<String>
  private let departureGrace: Duration

  /// - Parameters:
  ///   - members: should a name appear twice, the first one counts.
  ///   - departed: machines of which it is known that they have left.
  init(members: [Machine], departed: Set<String>, departureGrace: Duration) {
    var seen: Set<String> = []
    self.members =
      members.filter { seen.insert($0.id).inserted }.sorted(by: RolloutPolicy.precedes)
    self.departed = departed
    self.departureGrace = departureGrace
  }

  /// Every member, its turn yet to come.
  func beginning() -> [MachineProgress] { members.map { MachineProgress(machine: $0) } }

  /// Adds who has joined, drops who has left and is gone for long enough. Answers what there is to note.
  func update(_ stage: inout Stage, at now: Instant) -> [String] {
    var notes: [String] = []
    let present = Dictionary(uniqueKeysWithValues: members.map { ($0.id, $0) })
    let known = Set(stage.machines.map(\.machine.id))
    stage.machines = stage.machines.compactMap { progress in
      var progress = progress
      if let member = present[progress.machine.id] {
        // Another role means another machine under the same name: what was verified is void.
        if member.role != progress.machine.role { progress.state = .pending }
        progress.machine = member
        progress.missingSince = nil
        return progress
      }
      let since = progress.missingSince ?? now
      progress.missingSince = since
      guard departed.contains(progress.machine.id),
        since.duration(to: now) >= departureGrace
      else { return progress }
      notes.append("\(progress.machine.id) left the cluster during \(stage.phase.name)")
      return nil
    }
    for member in members where !known.contains(member.id) {
      notes.append("\(member.id) joined the cluster during \(stage.phase.name)")
      stage.machines.append(MachineProgress(machine: member))
    }
    stage.machines.sort { RolloutPolicy.precedes($0.machine, $1.machine) }
    return notes
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
    description = first.detail.isEmpty ? first.name : "\(first.name): \(first.detail)"
    isLostChange = open.contains { $0.name == CheckResult.configApplied && $0.state == .failed }
  }
}
