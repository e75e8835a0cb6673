import Orchestrator
import Rotation
import Schema

// The one place where the domain's values become messages of the schema, and back.

extension Rotation.SecretComponent {
  /// Nil for what is unspecified, or known to a newer schema only.
  init?(_ component: Schema.SecretComponent) {
    switch component {
    case .talosCA: self = .talosCA
    case .kubernetesCA: self = .kubernetesCA
    default: return nil
    }
  }
}

extension Schema.SecretComponent {
  init(_ component: Rotation.SecretComponent?) {
    switch component {
    case .talosCA: self = .talosCA
    case .kubernetesCA: self = .kubernetesCA
    case nil: self = .unspecified
    }
  }
}

extension Orchestrator.RotationCause {
  /// Nil where nobody has said, or a newer schema alone knows it.
  init?(_ cause: Schema.RotationCause) {
    switch cause {
    case .leakedTalosconfig: self = .leakedTalosconfig
    case .leakedKubeconfig: self = .leakedKubeconfig
    case .leakedSecrets: self = .leakedSecrets
    case .imported: self = .imported
    case .expiring: self = .expiring
    case .routine: self = .routine
    default: return nil
    }
  }
}

extension Schema.RotationCause {
  init(_ cause: Orchestrator.RotationCause?) {
    switch cause {
    case .leakedTalosconfig: self = .leakedTalosconfig
    case .leakedKubeconfig: self = .leakedKubeconfig
    case .leakedSecrets: self = .leakedSecrets
    case .imported: self = .imported
    case .expiring: self = .expiring
    case .routine: self = .routine
    case nil: self = .unspecified
    }
  }
}

extension Schema.RotationPhase {
  init(_ phase: Rotation.RotationPhase?) {
    switch phase {
    case .preRotate: self = .preRotate
    case .rotate: self = .rotate
    case .postRotate: self = .postRotate
    case nil: self = .unspecified
    }
  }
}

extension Schema.RotationState {
  init(_ state: Orchestrator.RotationState) {
    switch state {
    case .idle: self = .idle
    case .running: self = .running
    case .paused: self = .paused
    case .aborting: self = .aborting
    case .succeeded: self = .succeeded
    case .failed: self = .failed
    case .aborted: self = .aborted
    }
  }
}

extension MachineRotationState {
  init(_ state: MachineSnapshot.State) {
    switch state {
    case .pending: self = .pending
    case .applying: self = .applying
    case .verifying: self = .verifying
    case .waiting: self = .waiting
    case .done: self = .done
    }
  }
}

extension RotationCheckState {
  init(_ state: CheckResult.State) {
    switch state {
    case .passed: self = .passed
    case .failed: self = .failed
    case .waiting: self = .waiting
    case .notApplicable: self = .notApplicable
    }
  }
}

extension CertificateAuthorityGeneration {
  init(_ generation: AuthorityGeneration) {
    switch generation {
    case .old: self = .old
    case .new: self = .new
    }
  }
}

extension Timestamp {
  init(_ instant: Rotation.Instant) {
    let seconds = instant.secondsSince1970
    self.init(
      seconds: seconds,
      nanos: Int32(truncatingIfNeeded: instant.nanosecondsSince1970 &- seconds &* 1_000_000_000))
  }
}

extension RotationCheck {
  init(_ record: CheckRecord) {
    self.init()
    name = record.result.name
    state = RotationCheckState(record.result.state)
    detail = record.result.detail
    if !record.result.isSettled { since = Timestamp(record.since) }
  }
}

extension MachineRotationStatus {
  init(_ snapshot: MachineSnapshot) {
    self.init()
    machine = snapshot.machine
    address = snapshot.address
    port = Int32(clamping: snapshot.port)
    controlPlane = snapshot.role == .controlPlane
    phase = Schema.RotationPhase(snapshot.phase)
    state = MachineRotationState(snapshot.state)
    checks = snapshot.checks.map { RotationCheck($0) }
    attempts = Int32(clamping: snapshot.attempts)
    lastError = snapshot.lastError
    waitingSince = snapshot.waitingSince.map { Timestamp($0) }
    nextAttemptAt = snapshot.nextAttemptAt.map { Timestamp($0) }
    repetitions = Int32(clamping: snapshot.repetitions)
    stateSince = snapshot.stateSince.map { Timestamp($0) }
    lock = snapshot.lock.map { Schema.Lock($0) }
    stageTimes = snapshot.times.map { RotationStageTimes($0) }
  }
}

extension Schema.StageHold {
  init(_ hold: Rotation.StageHold) {
    self.init()
    phase = Schema.RotationPhase(hold.phase)
    hook = hold.hook
    answer = hold.answer
    waitingSince = hold.effort.waitingSince.map { Timestamp($0) }
    nextAttemptAt = hold.effort.nextAttemptAt.map { Timestamp($0) }
    attempts = Int32(clamping: hold.effort.attempts)
  }
}

extension RotationStageTimes {
  init(_ times: StageTimes) {
    self.init()
    phase = Schema.RotationPhase(times.phase)
    undone = times.direction == .backward
    begunAt = Timestamp(times.begunAt)
    verifiedAt = times.verifiedAt.map { Timestamp($0) }
  }
}

extension RotationStatus {
  init(_ snapshot: RotationSnapshot) {
    self.init(changing: snapshot)
    component = Schema.SecretComponent(snapshot.component)
    machines = snapshot.machines.map { MachineRotationStatus($0) }
    startedAt = Timestamp(known: snapshot.startedAt)
    finishedAt = Timestamp(known: snapshot.finishedAt)
    oldCAFingerprint = snapshot.oldFingerprint
    newCAFingerprint = snapshot.newFingerprint
    reason = snapshot.reason
    cause = Schema.RotationCause(snapshot.cause)
    requester = snapshot.requester
    notes = snapshot.notes
    nextSteps = snapshot.nextSteps
    retiringCredentials = snapshot.retiringCredentials.listed.map { Schema.HeldCredential($0) }
    retiringCredentialsUnlisted = Int32(
      clamping: snapshot.retiringCredentials.unlisted.reduce(0) { $0 + $1.count })
  }

  /// The status without what a rotation keeps for its whole time, and with these machines alone.
  init(_ snapshot: RotationSnapshot, changed: Set<String>) {
    self.init(changing: snapshot)
    machines = snapshot.machines(changed).map { MachineRotationStatus($0) }
  }

  /// What changes from step to step, but for the machines.
  private init(changing snapshot: RotationSnapshot) {
    self.init()
    cluster = snapshot.cluster
    rotationID = snapshot.rotationID
    stageHold = snapshot.hold.map { Schema.StageHold($0) }
    state = Schema.RotationState(snapshot.state)
    phase = Schema.RotationPhase(snapshot.phase)
    status = snapshot.status
    step = snapshot.step
    error = snapshot.error
    revision = snapshot.revision
    machinesDone = Int32(clamping: snapshot.machinesDone)
    machinesTotal = Int32(clamping: snapshot.machinesTotal)
    updatedAt = Timestamp(known: snapshot.updatedAt)
    clusterChecks = snapshot.clusterChecks.map { RotationCheck($0) }
    if let held = snapshot.locks.cluster { lock = Schema.Lock(held) }
    soakEndsAt = Timestamp(known: snapshot.soakEndsAt)
    returnedCAs = snapshot.returned.map { ReturnedCA($0, cluster: snapshot.cluster) }
    staleTrust = snapshot.staleTrust.map { Schema.StaleTrust($0) }
    oldCAAcceptedBy = Int32(clamping: snapshot.oldAcceptedBy)
    adopted = snapshot.isAdopted
    reachability = snapshot.reachability.map { seen in
      var shown = RotationReachability()
      shown.askedAt = Timestamp(seen.at)
      shown.reachable = machinesTotal - Int32(clamping: seen.unreachable.count)
      shown.unreachable = seen.unreachable
      return shown
    }
    refusedEverywhereAt = Timestamp(known: snapshot.refusedEverywhereAt)
    if !snapshot.rotationID.isEmpty { elapsed = ProtoDuration(snapshot.elapsed) }
  }
}

extension Timestamp {
  /// Nil for nil. Not a `map` where a snapshot is read: that crashes the optimizer (Swift 6.3.1, release builds).
  fileprivate init?(known instant: Rotation.Instant?) {
    guard let instant else { return nil }
    self.init(instant)
  }
}

extension ProtoDuration {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
  }
}

extension RotationPlan {
  init(_ ticket: RotationTicket) {
    self.init()
    steps = ticket.plan.map { RotationPlanStep($0) }
    notes = ticket.notes
  }
}

extension RotationPlanStep {
  init(_ step: PlannedStep) {
    self.init()
    phase = Schema.RotationPhase(step.phase)
    controlPlane = step.role == .controlPlane
    machines = step.machines
    issuing = CertificateAuthorityGeneration(step.bundle.issuing)
    accepted = step.bundle.accepted.map { CertificateAuthorityGeneration($0) }
  }
}
