internal import Schema
internal import Synchronization

/// Shows a rotation as a log, where there is no terminal to draw on: whole lines, and now and then one
/// that says what is being waited for.
final class LineReport: RotationReport {
  private struct State {
    var log = RotationLog()
    var ages = RotationAges()
    /// When the last line was written.
    var spoken: Duration = .zero
    var lost: (reason: String, since: Duration)?
    var ticker: Task<Void, Never>?
  }

  private let output: any TextSink
  private let errors: any TextSink
  private let uptime: @Sendable () -> Duration
  private let state = Mutex(State())

  /// For how long nothing is written at most.
  static let silence: Duration = .seconds(30)

  init(
    output: any TextSink, errors: any TextSink, uptime: @escaping @Sendable () -> Duration
  ) {
    self.output = output
    self.errors = errors
    self.uptime = uptime
    let ticker = Task { [weak self] in
      while (try? await Task.sleep(for: .seconds(1))) != nil {
        guard let self else { return }
        self.beat()
      }
    }
    state.withLock {
      $0.ticker = ticker
      $0.spoken = uptime()
    }
  }

  func show(_ status: RotationStatus) {
    let now = uptime()
    state.withLock { state in
      state.ages.take(status, at: now)
      let lines = state.log.lines(status)
      if !lines.isEmpty { write(lines, &state, now) }
    }
  }

  /// Says what is being waited for, if nothing has been said for long.
  func beat() {
    let now = uptime()
    state.withLock { state in
      guard now - state.spoken >= Self.silence else { return }
      if let lost = state.lost {
        let span = Moment.span((now - lost.since).components.seconds)
        write([Printable.line("omnid has not answered for \(span): \(lost.reason)")], &state, now)
      } else if let line = state.log.heartbeat(state.ages.reading(at: now)) {
        write([line], &state, now)
      }
    }
  }

  private func write(_ lines: [String], _ state: inout State, _ now: Duration) {
    output.write(lines.map { $0 + "\n" }.joined())
    state.spoken = now
  }

  func interrupted(_ reason: String) {
    let now = uptime()
    let isNew = state.withLock { state in
      defer { state.lost = (reason, state.lost?.since ?? now) }
      return state.lost?.reason != reason
    }
    if isNew { errors.write("omnictl: \(Interruption.text(reason))\n") }
  }

  func resumed() {
    state.withLock { $0.lost = nil }
    errors.write("omnictl: \(Interruption.over)\n")
  }

  func close() { state.withLock { $0.ticker?.cancel() } }
}

/// Shows a rotation as JSON, one status a line; what else there is to say is JSON too, on standard
/// error.
final class JSONReport: RotationReport {
  private let output: any TextSink
  private let errors: any TextSink
  private let interruption = Mutex("")

  init(output: any TextSink, errors: any TextSink) {
    self.output = output
    self.errors = errors
  }

  func show(_ status: RotationStatus) { output.write(JSONDocument.line(status) + "\n") }

  func interrupted(_ reason: String) {
    let isNew = interruption.withLock { last in
      defer { last = reason }
      return last != reason
    }
    if isNew { tell(Interruption.text(reason)) }
  }

  func resumed() {
    interruption.withLock { $0 = "" }
    tell(Interruption.over)
  }

  func close() {}

  private func tell(_ notice: String) {
    errors.write(JSONDocument.notice(notice) + "\n")
  }
}

/// What is said of a server that does not answer.
private enum Interruption {
  static func text(_ reason: String) -> String {
    Printable.line("omnid does not answer (\(reason)); asking again")
  }

  static let over = "omnid answers again"
}
