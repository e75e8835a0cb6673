internal import Schema
internal import Synchronization

/// Shows a rotation as a log, where there is no terminal to draw on.
final class LineReport: RotationReport {
  private let output: any TextSink
  private let errors: any TextSink
  private let log = Mutex(RotationLog())
  private let interruption = Mutex("")

  init(output: any TextSink, errors: any TextSink) {
    self.output = output
    self.errors = errors
  }

  func show(_ status: RotationStatus) {
    let lines = log.withLock { $0.lines(status) }
    if !lines.isEmpty { output.write(lines.map { $0 + "\n" }.joined()) }
  }

  func interrupted(_ reason: String) { Interruption.tell(reason, interruption, errors) }

  func resumed() { Interruption.over(interruption, errors) }

  func close() {}
}

/// Shows a rotation as JSON, one status a line.
final class JSONReport: RotationReport {
  private let output: any TextSink
  private let errors: any TextSink
  private let interruption = Mutex("")

  init(output: any TextSink, errors: any TextSink) {
    self.output = output
    self.errors = errors
  }

  func show(_ status: RotationStatus) { output.write(JSONDocument.compact(status) + "\n") }

  func interrupted(_ reason: String) { Interruption.tell(reason, interruption, errors) }

  func resumed() { Interruption.over(interruption, errors) }

  func close() {}
}

/// Says on standard error that the server does not answer, once per reason.
private enum Interruption {
  static func tell(_ reason: String, _ last: borrowing Mutex<String>, _ errors: any TextSink) {
    let isNew = last.withLock { last in
      defer { last = reason }
      return last != reason
    }
    if isNew {
      errors.write(
        Printable.line("omnictl: omnid does not answer (\(reason)); asking again") + "\n")
    }
  }

  static func over(_ last: borrowing Mutex<String>, _ errors: any TextSink) {
    last.withLock { $0 = "" }
    errors.write("omnictl: omnid answers again\n")
  }
}
