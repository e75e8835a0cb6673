public import Orchestrator
public import ProtoCodec
import Rotation
import Schema

/// What is told of an event beside its kind: JSON of a message of the management API, with the fields that the event is
/// about. What a rotation's beginning, stages and abort are told with does not change after they have happened. Pure.
public enum EventData {
  /// The longest list that is shown, and the longest text in UTF-8 bytes.
  private static let limit = (items: 16, bytes: 512)

  /// `RotationStatus` for what concerns a rotation, `ReturnedCA` for a retired CA that is back, `CertificateAuthority` for
  /// one that expires, `HeldCredential` for a credential that expires, `Cluster` for a record that is out of date. Holds no key, and no text of a machine that is
  /// longer than 512 bytes or would change how others are shown.
  ///
  /// - Throws: never for what a record can hold.
  public static func json(of event: ClusterEvent) throws(JSONEncodingError) -> [UInt8] {
    switch event.kind {
    case .authorityReturned(let returned):
      return try ReturnedCA(returned, cluster: event.cluster).bounded.jsonUTF8()
    case .authorityExpiring(let expiring, _):
      var shown = CertificateAuthority()
      shown.component = Schema.SecretComponent(expiring.component)
      shown.fingerprint = expiring.fingerprint
      shown.notAfter = Timestamp(expiring.notAfter)
      return try shown.jsonUTF8()
    case .credentialExpiring(let credential):
      return try Schema.HeldCredential(credential).bounded.jsonUTF8()
    case .recordOutdated:
      var shown = Cluster()
      shown.name = event.cluster
      return try shown.jsonUTF8()
    case .rotationStarted, .stageBegan, .waiting, .paused, .abortRequested, .rotationEnded:
      guard let snapshot = event.rotation else { return Array("{}".utf8) }
      return try status(of: event, snapshot).jsonUTF8()
    }
  }

  private static func status(
    of event: ClusterEvent, _ snapshot: RotationSnapshot
  ) -> RotationStatus {
    var shown = RotationStatus(lasting: snapshot)
    switch event.kind {
    case .rotationStarted:
      shown.state = .running
    case .stageBegan(let phase, let direction):
      shown.state = direction == .forward ? .running : .aborting
      shown.phase = Schema.RotationPhase(phase)
    case .abortRequested(let requester, let phase):
      shown.state = .aborting
      shown.phase = Schema.RotationPhase(phase)
      shown.notes = [requester.isEmpty ? "aborted" : "aborted by \(requester)"]
    case .waiting(let wait):
      shown.add(present: snapshot)
      if case .machine(let name) = wait.subject {
        shown.machines = snapshot.machines([name]).map { MachineRotationStatus($0).bounded }
      } else {
        shown.clusterChecks = cut(snapshot.clusterChecks.map { RotationCheck($0) })
      }
    case .paused:
      shown.add(present: snapshot)
      shown.lock = snapshot.locks.cluster.map { Schema.Lock($0) }
      if let endsAt = snapshot.soakEndsAt { shown.soakEndsAt = Timestamp(endsAt) }
    case .rotationEnded:
      shown.add(present: snapshot)
      if let finishedAt = snapshot.finishedAt { shown.finishedAt = Timestamp(finishedAt) }
      if let refusedAt = snapshot.refusedEverywhereAt {
        shown.refusedEverywhereAt = Timestamp(refusedAt)
      }
      shown.elapsed = ProtoDuration(snapshot.elapsed)
      shown.nextSteps = snapshot.nextSteps
    case .authorityExpiring, .credentialExpiring, .authorityReturned, .recordOutdated: break
    }
    return shown.bounded
  }

  fileprivate static func cut(_ text: String) -> String { text.oneLine.bounded(to: limit.bytes) }

  fileprivate static func cut(_ texts: [String]) -> [String] {
    texts.prefix(limit.items).map { cut($0) }
  }

  /// What has not passed.
  fileprivate static func cut(_ checks: [RotationCheck]) -> [RotationCheck] {
    checks.filter { $0.state != .passed && $0.state != .notApplicable }.prefix(limit.items).map {
      var check = $0
      check.detail = cut(check.detail)
      return check
    }
  }
}

extension RotationStatus {
  /// What is the same from a rotation's beginning to its end.
  fileprivate init(lasting snapshot: RotationSnapshot) {
    self.init()
    cluster = snapshot.cluster
    rotationID = snapshot.rotationID
    component = Schema.SecretComponent(snapshot.component)
    if let startedAt = snapshot.startedAt { self.startedAt = Timestamp(startedAt) }
    oldCAFingerprint = snapshot.oldFingerprint
    newCAFingerprint = snapshot.newFingerprint
    reason = snapshot.reason
    cause = Schema.RotationCause(snapshot.cause)
    requester = snapshot.requester
    adopted = snapshot.isAdopted
  }

  /// How it stands now.
  fileprivate mutating func add(present snapshot: RotationSnapshot) {
    state = Schema.RotationState(snapshot.state)
    phase = Schema.RotationPhase(snapshot.phase)
    status = snapshot.status
    step = snapshot.step
    error = snapshot.error
    machinesDone = Int32(clamping: snapshot.machinesDone)
    machinesTotal = Int32(clamping: snapshot.machinesTotal)
  }

  fileprivate var bounded: RotationStatus {
    var shown = self
    shown.step = EventData.cut(step)
    shown.error = EventData.cut(error)
    shown.reason = EventData.cut(reason)
    shown.requester = EventData.cut(requester)
    shown.notes = EventData.cut(notes)
    shown.nextSteps = EventData.cut(nextSteps)
    if let lock = shown.lock { shown.lock?.reason = EventData.cut(lock.reason) }
    return shown
  }
}

extension MachineRotationStatus {
  fileprivate var bounded: MachineRotationStatus {
    var shown = self
    shown.machine = EventData.cut(machine)
    shown.address = EventData.cut(address)
    shown.lastError = EventData.cut(lastError)
    shown.checks = EventData.cut(checks)
    return shown
  }
}

extension Schema.HeldCredential {
  fileprivate var bounded: Schema.HeldCredential {
    var shown = self
    shown.holder = EventData.cut(holder)
    shown.roles = EventData.cut(roles)
    return shown
  }
}

extension ReturnedCA {
  fileprivate var bounded: ReturnedCA {
    var shown = self
    shown.machine = EventData.cut(machine)
    shown.detail = EventData.cut(detail)
    return shown
  }
}
