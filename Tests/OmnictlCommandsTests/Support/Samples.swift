import Schema

@testable import OmnictlCommands

/// Rotations to show.
enum Samples {
  /// 2026-03-01T10:00:00Z.
  static let start = Timestamp(seconds: 1_772_359_200)
  static let now = later(72)

  static func later(_ seconds: Int64) -> Timestamp {
    Timestamp(seconds: start.seconds + seconds)
  }

  /// What a status' ages are some seconds after it has arrived: its stamps are of 10:01:00.
  static func reading(
    _ status: RotationStatus, after seconds: Int64 = 12
  ) -> RotationAges.Reading {
    var ages = RotationAges()
    ages.take(status, at: .seconds(100))
    return ages.reading(at: .seconds(100 + seconds))
  }

  /// A rotation of three control planes and two workers in a stage, `done` of them finished.
  static func rotation(
    _ phase: RotationPhase = .preRotate, done: Int = 0, revision: UInt64 = 1,
    state: RotationState = .running
  ) -> RotationStatus {
    var status = RotationStatus()
    status.cluster = "demo"
    status.rotationID = "r-1"
    status.component = .talosCA
    status.state = state
    status.phase = phase
    status.revision = revision
    status.machinesDone = Int32(done)
    status.machinesTotal = 5
    status.startedAt = start
    status.updatedAt = later(60)
    status.newCAFingerprint = String(repeating: "ab", count: 32)
    let names = ["cp-1", "cp-2", "cp-3", "worker-1", "worker-2"]
    for (index, name) in names.enumerated() {
      var machine = MachineRotationStatus()
      machine.machine = name
      machine.controlPlane = index < 3
      machine.phase = phase
      machine.state = index < done ? .done : index == done ? .verifying : .pending
      status.machines.append(machine)
    }
    status.status = "rotation phase \(phase.word.replacing("-", with: "_")) \(done)/5"
    if done < 5 { status.step = "rotating secret for machines: [\(names[done])]" }
    return status
  }

  static func succeeded(revision: UInt64 = 99) -> RotationStatus {
    var status = rotation(.postRotate, done: 5, revision: revision, state: .succeeded)
    status.status = "rotation succeeded"
    status.step = "every machine accepts the new CA alone"
    status.finishedAt = later(72)
    return status
  }

  static func failed(_ error: String, revision: UInt64 = 99) -> RotationStatus {
    var status = rotation(revision: revision, state: .failed)
    status.status = "rotation failed"
    status.step = "no machine was changed"
    status.error = error
    status.finishedAt = later(5)
    return status
  }

  /// In ROTATE, worker-1 is waited for since 42 s for its node to become ready.
  static func waiting() -> RotationStatus {
    var status = rotation(.rotate, done: 3, revision: 40)
    var check = RotationCheck()
    check.name = "node-ready"
    check.state = .failed
    check.detail = "node worker-1 is NotReady: kubelet stopped posting"
    check.since = later(30)
    status.machines[3].state = .waiting
    status.machines[3].checks = [check]
    status.machines[3].attempts = 4
    status.machines[3].lastError = "node-ready: node worker-1 is NotReady: kubelet stopped posting"
    status.machines[3].waitingSince = later(30)
    status.machines[3].nextAttemptAt = later(75)
    status.machines[4].state = .applying
    status.step = "rotating secret for machines: [worker-2]"
    status.error = "worker-1: " + status.machines[3].lastError
    return status
  }

  static func clusters() -> [Cluster] {
    var demo = Cluster()
    demo.name = "demo"
    demo.talosVersion = "v1.10.2"
    demo.endpoints = ["127.0.10.1:50000"]
    demo.rotation = rotation(.rotate, done: 2)
    for (name, isControlPlane) in [("cp-1", true), ("worker-1", false), ("worker-2", false)] {
      var machine = Machine()
      machine.name = name
      machine.address = "127.0.10.\(demo.machines.count + 1)"
      machine.controlPlane = isControlPlane
      demo.machines.append(machine)
    }
    var idle = Cluster()
    idle.name = "idle"
    idle.talosVersion = "v1.9.0"
    return [demo, idle]
  }
}
