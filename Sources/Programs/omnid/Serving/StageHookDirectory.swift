import Daemon
import Encodings
import Metrics
import Orchestrator
import Rotation
import SQLiteStore
import Synchronization

/// The programs of `--before-stage-dir`: each is asked before a stage begins, in the order of their names, and agrees by the
/// exit status 0.
///
/// Whatever is not as it should be does not agree: a directory that is not there, a program that somebody else may
/// replace, that cannot be started, or that takes too long. A hook that is switched off by a fault would let a rotation pass
/// that somebody wants held.
final class StageHookDirectory: StageHooks, Sendable {
  private let directory: String
  private let logger: Logger
  private let time: Mutex<Duration>
  private let tally = Mutex<[HookResult: Int]>([:])
  /// The newest asking of each cluster. It ends the one before, whose answer nobody waits for any more.
  private let newest = Mutex<[String: Asking]>([:])
  /// What the hooks of each cluster that is held have said last, so that the log tells of it once.
  private let told = Mutex<[String: StageAnswer]>([:])

  private final class Asking: Sendable {
    private let flag = Atomic(false)
    var isEnded: Bool { flag.load(ordering: .relaxed) }
    func end() { flag.store(true, ordering: .relaxed) }
  }

  /// - Parameter timeout: of each program.
  init(_ directory: String, timeout: Duration, logger: Logger) {
    self.directory = directory
    self.logger = logger
    time = Mutex(timeout)
  }

  /// How long a program may take that is started from now on.
  var timeout: Duration { time.withLock { $0 } }

  func change(timeout: Duration) { time.withLock { $0 = timeout } }

  var metrics: HookMetrics { HookMetrics(tally.withLock { $0 }) }

  /// Names that count, as run-parts(8) takes them: what an editor or a package manager leaves beside a program does not.
  static func isName(_ name: String) -> Bool {
    name.utf8.count <= StageHold.nameLimit
      && name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]*/) != nil
  }

  /// - Throws: when the directory cannot be used, with what to do.
  static func programs(in directory: String) throws(DaemonError) -> [String] {
    try PublishedFolder(directory).check()
    try PrivateFiles.checkPlace(of: directory)
    return try PrivateFiles.names(in: directory).filter(isName).sorted()
  }

  var names: [String] {
    get async { (try? Self.programs(in: directory)) ?? [] }
  }

  func ask(_ question: StageQuestion) async -> StageAnswer {
    let this = Asking()
    let before = newest.withLock { $0.updateValue(this, forKey: question.cluster) }
    before?.end()
    let answer = await withTaskCancellationHandler {
      // A thread for each asking, because one hook that hangs must not keep those of other clusters waiting.
      let thread = BlockingThread(label: "omnid.hooks")
      return await thread.run { [self] in askAll(question, this) }
    } onCancel: {
      this.end()
    }
    newest.withLock { newest in
      if newest[question.cluster] === this { newest[question.cluster] = nil }
    }
    log(answer, question, isWanted: !this.isEnded)
    return answer
  }

  private func askAll(_ question: StageQuestion, _ asking: Asking) -> StageAnswer {
    let programs: [String]
    do throws(DaemonError) { programs = try Self.programs(in: directory) } catch {
      count(.unusable)
      return .wait(hook: directory, said: error.message)
    }
    for name in programs {
      let (result, said) = run(name, question, asking)
      if let result { count(result) }
      guard result != .agreed else { continue }
      return .wait(hook: name, said: said)
    }
    return .go
  }

  /// What the program has answered; without a result where nobody wants to know any more.
  private func run(
    _ name: String, _ question: StageQuestion, _ asking: Asking
  ) -> (result: HookResult?, said: String) {
    let path = "\(directory)/\(name)"
    let timeout = timeout
    do throws(DaemonError) {
      try PrivateFiles.checkProgram(path)
      let (ending, output) = try ChildProcess.run(
        path, arguments: [question.phase.name, question.cluster],
        environment: [
          "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "OMNID_HOOK=\(name)",
        ], input: question.json, timeout: timeout, outputLimit: StageHold.answerLimit,
        isCancelled: { asking.isEnded })
      let said = HookOutput.text(output)
      let colon = said.isEmpty ? "" : ": \(said)"
      return switch ending {
      case .exited(0): (.agreed, said)
      case .exited(let status): (.refused, said.isEmpty ? "exit status \(status)" : said)
      case .signalled(let number): (.refused, "ended by signal \(number)\(colon)")
      case .timedOut: (.timedOut, "no answer within \(timeout.components.seconds) s\(colon)")
      case .cancelled: (nil, "no longer asked")
      }
    } catch { return (.unusable, error.message) }
  }

  private func count(_ result: HookResult) { tally.withLock { $0[result, default: 0] += 1 } }

  /// Tells of a hook that holds a stage when what it says is new.
  private func log(_ answer: StageAnswer, _ question: StageQuestion, isWanted: Bool) {
    guard isWanted, case .wait(let hook, let said) = answer else {
      told.withLock { $0[question.cluster] = nil }
      return
    }
    guard told.withLock({ $0.updateValue(answer, forKey: question.cluster) }) != answer else {
      return
    }
    logger.info(
      "a hook holds a stage",
      [
        .cluster: .string(question.cluster), .rotation: .string(question.rotation),
        .component: .string(question.component.rawValue),
        .stage: .string(question.phase.name), .hook: .string(hook),
        .attempt: .integer(Int64(question.attempt)), .answer: .string(said),
      ])
  }
}

/// What a program has said, as it is shown: printable text on one line.
enum HookOutput {
  static func text(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    var shown = ""
    var isGap = false
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
        .unassigned, .spaceSeparator:
        isGap = true
      default:
        if isGap, !shown.isEmpty { shown += " " }
        isGap = false
        shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }
}

extension StageQuestion {
  /// What a hook reads on its standard input: one line of JSON.
  var json: [UInt8] {
    let fields: [(String, String)] = [
      ("event", JSONText.quoted("before-stage")), ("cluster", JSONText.quoted(cluster)),
      ("rotation", JSONText.quoted(rotation)), ("component", JSONText.quoted(component.rawValue)),
      ("stage", JSONText.quoted(phase.name)), ("oldCAFingerprint", JSONText.quoted(oldFingerprint)),
      ("newCAFingerprint", JSONText.quoted(newFingerprint)), ("controlPlanes", "\(controlPlanes)"),
      ("workers", "\(workers)"), ("requester", JSONText.quoted(requester)),
      ("reason", JSONText.quoted(reason)), ("attempt", "\(attempt)"),
    ]
    let members = fields.map { "\(JSONText.quoted($0)):\($1)" }.joined(separator: ",")
    return Array("{\(members)}\n".utf8)
  }
}
