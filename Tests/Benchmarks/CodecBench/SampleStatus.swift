import Schema

/// A rotation in the middle of its second stage, as a watcher sees it: a part of the machines is
/// done, one is worked on, the others wait.
func sampleStatus(machines count: Int) -> RotationStatus {
  var status = RotationStatus()
  status.cluster = "production-eu-central"
  status.rotationID = "01J9Z6V3Q8K4T2M7N5XR0C1BWE"
  status.component = .talosCA
  status.state = .running
  status.phase = .rotate
  status.status = "rotating the Talos API CA"
  status.step = "worker-021: waiting for the machine to serve a certificate of the new CA"
  status.revision = 4711
  status.machinesDone = 20
  status.machinesTotal = Int32(count)
  status.startedAt = Timestamp(seconds: 1_760_000_000, nanos: 123_456_789)
  status.updatedAt = Timestamp(seconds: 1_760_000_321, nanos: 987_654_321)
  status.oldCAFingerprint = String(repeating: "0123456789abcdef", count: 4)
  status.newCAFingerprint = String(repeating: "fedcba9876543210", count: 4)
  status.reason = "yearly rotation"
  status.requester = "alice@example.com"
  status.machines = (0..<count).map(sampleMachine)
  return status
}

private func sampleMachine(_ number: Int) -> MachineRotationStatus {
  var machine = MachineRotationStatus()
  machine.machine = "worker-\(1000 + number)"
  machine.address = "10.20.\(number / 256).\(number % 256)"
  machine.controlPlane = number < 3
  machine.phase = .rotate
  machine.state = number < 20 ? .done : number == 20 ? .verifying : .pending
  machine.attempts = number < 20 ? 1 : number == 20 ? 3 : 0
  if number <= 20 {
    machine.checks = ["reachable", "config-applied", "issuing", "server-leaf"].map {
      sampleCheck($0, isPassed: number < 20)
    }
  }
  if number == 20 {
    machine.lastError = "the machine still serves a certificate of the old CA"
    machine.waitingSince = Timestamp(seconds: 1_760_000_300)
    machine.nextAttemptAt = Timestamp(seconds: 1_760_000_330)
  }
  return machine
}

private func sampleCheck(_ name: String, isPassed: Bool) -> RotationCheck {
  var check = RotationCheck()
  check.name = name
  check.state = isPassed ? .passed : .waiting
  check.since = Timestamp(seconds: 1_760_000_200, nanos: 5_000_000)
  if !isPassed { check.detail = "the leaf is signed by the old CA" }
  return check
}
