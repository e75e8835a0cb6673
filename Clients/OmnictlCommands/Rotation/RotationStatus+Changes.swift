import Schema

extension RotationStatus {
  /// The status after a response that tells of changes only: see `machines_changed_only` in management.proto.
  func changed(by change: RotationStatus) -> RotationStatus {
    var status = change
    status.component = component
    status.startedAt = startedAt
    status.oldCAFingerprint = oldCAFingerprint
    status.newCAFingerprint = newCAFingerprint
    status.reason = reason
    status.cause = cause
    status.requester = requester
    status.notes = notes
    status.retiringCredentials = retiringCredentials
    status.retiringCredentialsUnlisted = retiringCredentialsUnlisted
    var machines: [String: MachineRotationStatus] = [:]
    for machine in change.machines { machines[machine.machine] = machine }
    status.machines = self.machines.map { machines[$0.machine] ?? $0 }
    return status
  }
}
