/// What a machine has written down of its services, newest last. A pure value.
struct MachineLog: Sendable {
  struct Line: Sendable, Equatable {
    /// Counts up from 1; a reader goes on behind the last it has seen.
    var number: UInt64
    /// Nanoseconds since 1970, by the machine's clock.
    var time: Int64
    var service: String
    var text: String
  }

  /// How many lines are kept.
  static let limit = 1024

  private var lines: [Line] = []
  private var last: UInt64 = 0
  private var services: [NodeState.ServiceState] = []

  /// Writes a line for each service whose state is another one than before.
  mutating func note(_ current: [NodeState.ServiceState], now: Int64) {
    for service in current where !services.contains(service) {
      let word = service.healthy ? "Health check successful" : "Started task \(service.id)"
      write(
        service.isRunning ? word : "Service finished successfully", state: service.state,
        of: service.id, now: now)
    }
    for gone in services where !current.contains(where: { $0.id == gone.id }) {
      write("Service stopped", state: "Finished", of: gone.id, now: now)
    }
    services = current
  }

  /// Writes what machined itself does.
  mutating func note(_ text: String, now: Int64) {
    append(Line(number: 0, time: now, service: "machined", text: "[talos] " + text))
  }

  private mutating func write(_ text: String, state: String, of service: String, now: Int64) {
    let line = Line(
      number: 0, time: now, service: service, text: "service[\(service)](\(state)): \(text)")
    append(line)
    if service != "machined" { note(line.text, now: now) }
  }

  private mutating func append(_ line: Line) {
    last += 1
    var numbered = line
    numbered.number = last
    lines.append(numbered)
    if lines.count > Self.limit { lines.removeFirst(lines.count - Self.limit) }
  }

  /// The lines of a service behind a number.
  func lines(of service: String, after number: UInt64 = 0) -> [Line] {
    lines.filter { $0.service == service && $0.number > number }
  }
}
