import Daemon
import Foundation
import Metrics
import Orchestrator
import Rotation
import Testing

@testable import omnid

@Suite("Programs before a stage", .timeLimit(.minutes(1)))
struct StageHookTests {
  private let folder = NSTemporaryDirectory() + "hooks-" + UUID().uuidString.prefix(8)

  init() throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }

  private static let question = StageQuestion(
    cluster: "demo", rotation: "r-1", component: .talosCA, phase: .rotate, oldFingerprint: "aa",
    newFingerprint: "bb", controlPlanes: 3, workers: 2, requester: "uid:0",
    reason: "a \"quoted\"\nreason \\ \u{7}", attempt: 4)

  private func add(_ name: String, _ script: String, mode: Int = 0o755) throws {
    let path = folder + "/" + name
    try ("#!/bin/sh\n" + script).write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }

  private func ask(
    _ directory: String? = nil, timeout: Duration = .seconds(20)
  ) async -> StageAnswer {
    await StageHookDirectory(
      directory ?? folder, timeout: timeout, logger: Logger(level: .error, format: .text)
    ).ask(Self.question)
  }

  private func remove() { try? FileManager.default.removeItem(atPath: folder) }

  @Test("They are asked in the order of their names until one does not agree")
  func order() async throws {
    defer { remove() }
    #expect(await ask() == .go, "there is none")
    try add("20-second", "echo second >> \(folder)/.asked; echo no; exit 1")
    try add("10-first", "echo first >> \(folder)/.asked")
    try add("30-third", "echo third >> \(folder)/.asked")
    #expect(await ask() == .wait(hook: "20-second", said: "no"))
    #expect(try String(contentsOfFile: folder + "/.asked", encoding: .utf8) == "first\nsecond\n")
    try add("20-second", "exit 0")
    #expect(await ask() == .go)
    #expect(try StageHookDirectory.programs(in: folder) == ["10-first", "20-second", "30-third"])
  }

  @Test("What they are told is one line of JSON, with the stage and the cluster as arguments")
  func told() async throws {
    defer { remove() }
    try add("tells", "cat > \(folder)/.told; echo $1 $2 $OMNID_HOOK; exit 1")
    #expect(await ask() == .wait(hook: "tells", said: "ROTATE demo tells"))
    let data = try Data(contentsOf: URL(filePath: folder + "/.told"))
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(object["reason"] as? String == Self.question.reason)
    #expect(object["stage"] as? String == "ROTATE" && object["attempt"] as? Int == 4)
    #expect(object["controlPlanes"] as? Int == 3 && object["component"] as? String == "talos-ca")
    #expect(object.count == 12 && data.last == UInt8(ascii: "\n"))
    #expect(data.count { $0 == UInt8(ascii: "\n") } == 1)
  }

  @Test("Whatever is not as it should be does not agree, and says what to do")
  func faults() async throws {
    defer { remove() }
    func said(_ answer: StageAnswer) -> String {
      if case .wait(_, let said) = answer { said } else { "go" }
    }
    #expect(said(await ask("/nonexistent/hooks")).contains("No such file"))
    try add("hook", "exit 0", mode: 0o644)
    #expect(said(await ask()).contains("chmod +x"))
    try add("hook", "exit 0", mode: 0o777)
    #expect(said(await ask()).contains("chmod go-w"))
    try add("hook", "exit 3")
    #expect(said(await ask()) == "exit status 3")
    try add("hook", "kill -15 $$")
    #expect(said(await ask()) == "ended by signal 15")
    try add("hook", "echo thinking; sleep 60")
    #expect(said(await ask(timeout: .seconds(1))) == "no answer within 1 s: thinking")
    let path = folder + "/hook"
    try "#!/nonexistent/interpreter\n".write(toFile: path, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    #expect(said(await ask()) != "go")
    try add("hook", "exit 0")
    try FileManager.default.createSymbolicLink(
      atPath: folder + "/20-link", withDestinationPath: "/bin/true")
    #expect(said(await ask()).contains("symbolic link"))
    try FileManager.default.removeItem(atPath: folder + "/20-link")
    try FileManager.default.createDirectory(
      atPath: folder + "/30-folder", withIntermediateDirectories: false)
    #expect(said(await ask()).contains("no file"))
    try FileManager.default.removeItem(atPath: folder + "/30-folder")
    #expect(await ask() == .go)
    // Whoever owns a directory above what the link leads to could put an empty one there.
    let link = folder + "-link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder)
    defer { try? FileManager.default.removeItem(atPath: link) }
    #expect(throws: DaemonError.self) { try StageHookDirectory.programs(in: link) }
    #expect(try StageHookDirectory.programs(in: folder + "/") == ["hook"])
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
    #expect(said(await ask()).contains("chmod go-w"))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
    // Whoever may rename the directory may put another in its place.
    let inner = folder + "/.inner"
    for (path, mode) in [
      (folder + "/.open", 0o777), (folder + "/.open/hooks", 0o755), (inner, 0o755),
    ] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }
    #expect(said(await ask(folder + "/.open/hooks")).contains("chmod go-w \(folder)/.open"))
    #expect(await ask(inner) == .go)
  }

  @Test(
    "A program that is replaced, or goes, while it runs gives its answer; the next asking is of the new one"
  )
  func swapped() async throws {
    defer { remove() }
    try add("hook", "rm \(folder)/hook; echo old; exit 1")
    #expect(await ask() == .wait(hook: "hook", said: "old"))
    #expect(await ask() == .go, "there is none any more")
    try add(
      "hook",
      "printf '#!/bin/sh\\nexit 0\\n' > \(folder)/.new; chmod 755 \(folder)/.new; mv \(folder)/.new $0; exit 1"
    )
    #expect(await ask() == .wait(hook: "hook", said: "exit status 1"))
    #expect(await ask() == .go)
  }

  @Test("A child that leaves the group and keeps the output open holds nobody's answer up")
  func daemons() async throws {
    defer { remove() }
    try add("forks", "setsid sleep 5 & echo forked; exit 1")
    let begun = ContinuousClock.now
    #expect(await ask() == .wait(hook: "forks", said: "forked"))
    #expect(ContinuousClock.now - begun < .seconds(4))
  }

  @Test(
    "A new asking about a cluster ends the one before, and none of another cluster; answers are counted"
  )
  func newest() async throws {
    defer { remove() }
    try add(
      "hook", "test -e \(folder)/.open && exit 0; echo $2 >> \(folder)/.asked; sleep 600")
    let hooks = StageHookDirectory(
      folder, timeout: .seconds(30), logger: Logger(level: .error, format: .text))
    func question(_ cluster: String) -> StageQuestion {
      var question = Self.question
      question.cluster = cluster
      return question
    }
    func untilAsked(_ count: Int) async throws {
      for _ in 0..<2000 {
        let asked = try? String(contentsOfFile: folder + "/.asked", encoding: .utf8)
        if asked?.count(where: { $0 == "\n" }) == count { return }
        try await Task.sleep(for: .milliseconds(10))
      }
      Issue.record("it is not asked")
    }
    async let first = hooks.ask(question("a"))
    try await untilAsked(1)
    async let other = hooks.ask(question("b"))
    try await untilAsked(2)
    try "".write(toFile: folder + "/.open", atomically: true, encoding: .utf8)
    #expect(await hooks.ask(question("a")) == .go)
    #expect(await first == .wait(hook: "hook", said: "no longer asked"))
    hooks.change(timeout: .seconds(1))
    #expect(await hooks.ask(question("b")) == .go)
    #expect(await other == .wait(hook: "hook", said: "no longer asked"))
    try FileManager.default.removeItem(atPath: folder + "/.open")
    #expect(await hooks.ask(question("a")) == .wait(hook: "hook", said: "no answer within 1 s"))
    let counts = hooks.metrics.families[0].samples.map {
      "\($0.labels[0].value) \($0.value)"
    }
    #expect(
      counts == [
        "agreed integer(2)", "refused integer(0)", "timed_out integer(1)", "unusable integer(0)",
      ])
  }

  @Test("A hook is killed when nobody wants its answer any more")
  func cancelled() async throws {
    defer { remove() }
    try add("hangs", "sleep 600")
    let asking = Task { await ask(timeout: .seconds(600)) }
    try await Task.sleep(for: .milliseconds(200))
    asking.cancel()
    #expect(await asking.value == .wait(hook: "hangs", said: "no longer asked"))
  }

  @Test(
    "What is shown of an output is one line of printable text",
    arguments: [
      ("a\nb\t c\r\n", "a b c"), ("\u{1b}[31mred\u{7}", "[31mred"), ("", ""), ("\n\n", ""),
      ("\u{202e}evil\u{200b}x", "evil x"), ("ü 漢", "ü 漢"),
    ])
  func shown(text: String, expected: String) {
    #expect(HookOutput.text(Array(text.utf8)) == expected)
  }

  @Test("Names that editors and package managers leave behind are no hooks")
  func names() {
    for name in ["10-window", "a", "A_b-c"] { #expect(StageHookDirectory.isName(name)) }
    for name in ["", ".hidden", "x~", "x.bak", "x.dpkg-old", "-x", "a b", "a/b"] {
      #expect(!StageHookDirectory.isName(name))
    }
  }

  @Test("The time is of no use without the directory, which is an absolute path")
  func options() throws {
    func options(_ arguments: String...) throws(UsageError) -> ServeOptions {
      try ServeOptions(arguments, ProcessFacts(environment: [:], userID: 0)) {
        _ throws(UsageError) in []
      }
    }
    #expect(try options().hooks == nil)
    let told = try options("--before-stage-dir", "/h", "--hook-timeout", "90s")
    #expect(told.hooks == ServeOptions.HookSettings(directory: "/h", timeout: .seconds(90)))
    for wrong in [["--hook-timeout", "5s"], ["--before-stage-dir", "h"]] {
      #expect(throws: UsageError.self) {
        try ServeOptions(wrong, ProcessFacts(environment: [:], userID: 0)) {
          _ throws(UsageError) in []
        }
      }
    }
    #expect(throws: UsageError.self) {
      try options("--before-stage-dir", "/h", "--hook-timeout", "0s")
    }
  }
}
