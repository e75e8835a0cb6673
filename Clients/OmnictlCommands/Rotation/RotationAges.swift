internal import Schema

/// How long a rotation, and what it waits for, have lasted, by clocks that do not jump.
///
/// A stamp of the server's wall clock is compared only with others of the same status, once, when it is
/// first seen; from then on the monotonic clock of this process counts. A stamp in the future counts as
/// now, and nothing has lasted longer than the rotation itself.
struct RotationAges: Sendable {
  /// Seconds at a moment of this process.
  private struct Age {
    var seconds: Int64
    var seen: Duration

    func passed(_ uptime: Duration) -> Int64 { max(0, (uptime - seen).components.seconds) }

    func later(_ uptime: Duration) -> Int64 { seconds + passed(uptime) }
  }

  private struct Stamp: Hashable {
    var seconds: Int64
    var nanos: Int32

    init(_ time: Timestamp) {
      seconds = time.seconds
      nanos = time.nanos
    }
  }

  private struct Work: Hashable {
    var machine: String
    var phase: Int32
    var attempts: Int32
  }

  private var total: Age?
  private var isOver = false
  private var past: [Stamp: Age] = [:]
  private var due: [Stamp: Age] = [:]
  private var applying: [Work: Duration] = [:]

  init() {}

  /// Takes in a status that has just arrived.
  mutating func take(_ status: RotationStatus, at uptime: Duration) {
    total = status.lasted.map { Age(seconds: $0, seen: uptime) }
    isOver = status.isOver
    let most = status.elapsed == nil ? Int64.max : status.lasted ?? .max
    let starts =
      status.machines.flatMap { [$0.waitingSince] + $0.checks.map(\.since) }
      + status.clusterChecks.map(\.since)
    var past: [Stamp: Age] = [:]
    for start in starts.compactMap(\.self) {
      let stamp = Stamp(start)
      let age = Moment.seconds(from: start, to: status.updatedAt ?? start)
      past[stamp] = self.past[stamp] ?? Age(seconds: min(age, most), seen: uptime)
    }
    self.past = past
    var due: [Stamp: Age] = [:]
    for next in status.machines.compactMap(\.nextAttemptAt) {
      let left = status.updatedAt.map { Moment.seconds(from: $0, to: next) } ?? 0
      due[Stamp(next)] = self.due[Stamp(next)] ?? Age(seconds: left, seen: uptime)
    }
    self.due = due
    var applying: [Work: Duration] = [:]
    for machine in status.machines where machine.state == .applying {
      let work = Self.work(machine)
      applying[work] = self.applying[work] ?? uptime
    }
    self.applying = applying
  }

  private static func work(_ machine: MachineRotationStatus) -> Work {
    Work(machine: machine.machine, phase: machine.phase.rawValue, attempts: machine.attempts)
  }

  func reading(at uptime: Duration) -> Reading { Reading(ages: self, uptime: uptime) }

  /// What the ages are at a moment, in seconds.
  struct Reading: Sendable {
    fileprivate let ages: RotationAges
    fileprivate let uptime: Duration

    /// How long the rotation has run, or ran; nil when none has begun.
    var total: Int64? {
      ages.total.map { ages.isOver ? $0.seconds : $0.later(uptime) }
    }

    func since(_ start: Timestamp) -> Int64 { ages.past[Stamp(start)]?.later(uptime) ?? 0 }

    func until(_ next: Timestamp) -> Int64 {
      ages.due[Stamp(next)].map { max(0, $0.seconds - $0.passed(uptime)) } ?? 0
    }

    /// How long a machine has been seen being changed; not less than it has been.
    func applying(_ machine: MachineRotationStatus) -> Int64 {
      if let since = machine.waitingSince { return self.since(since) }
      return ages.applying[RotationAges.work(machine)]
        .map { max(0, (uptime - $0).components.seconds) } ?? 0
    }
  }
}
