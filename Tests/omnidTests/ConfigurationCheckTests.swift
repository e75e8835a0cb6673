import Daemon
import RPCTransport
import Testing

@testable import omnid

@Suite("What is wrong with a configuration")
struct ConfigurationCheckTests {
  private func problems(
    _ file: String, _ arguments: [String] = [], environment: [String: String] = [:]
  ) -> [String] {
    ServeOptions.problems(
      arguments + ["--config", "/c"], ProcessFacts(environment: environment, userID: 0)
    ) { path throws(UsageError) in
      guard path == "/c" else { throw UsageError("no file \(path)") }
      return Array(file.utf8)
    }
  }

  @Test("Every error of a file is told at once, each with its line")
  func all() {
    let file = """
      log-level: loud
      max-idle: soon
      colour: red
      listen:
        - tcp:1
      log-format: [text, json]
      socket-mode: "0999"
      """
    #expect(
      problems(file) == [
        "/c:3: colour: there is no such setting",
        "/c:6: log-format: a single value is expected",
        "/c:4: listen: 'tcp:1' is not written unix:PATH, unix-abstract:NAME or tls:HOST:PORT",
        "/c:7: socket-mode: '0999' is not a mode in octal, such as 0660",
        "/c:1: log-level: 'loud' is not debug, info, warning or error",
        "/c:2: max-idle: 'soon' is not a time such as 90s, 5m or 1h30m, nor 0 for none",
      ])
  }

  @Test("What fits each alone and not together is told too")
  func together() {
    #expect(
      problems("listen: tls:127.0.0.1:1\ntls-cert: /nowhere\n") == [
        "/c:2: tls-cert needs --tls-key"
      ])
    #expect(
      problems("tls-name: a\n") == ["/c:1: tls-name is of no use without --listen tls:HOST:PORT"])
    #expect(problems("max-request-memory: 1MiB\n").count == 1)
  }

  @Test("Files that are named and cannot be used are told of")
  func files() throws {
    let key = try #require(problems("master-key-file: /nowhere/key\n").first)
    #expect(key == "/c:1: master-key-file: there is no master key file at /nowhere/key")
    let tls = problems(
      "listen: tls:127.0.0.1:1\ntls-cert: /nowhere/cert\ntls-key: /nowhere/key\n")
    #expect(tls.count == 1 && tls[0].hasPrefix("/c:2: tls-cert: /nowhere/cert"))
  }

  @Test("Flags and the environment are looked at as well; a good configuration has no problem")
  func others() {
    #expect(problems("", ["--log-level", "x"]).count == 1)
    #expect(
      problems("log-level: debug\n", environment: ["OMNID_LOG_FORMAT": "xml"]) == [
        "OMNID_LOG_FORMAT: 'xml' is neither text nor json"
      ])
    #expect(problems("log-level: debug\nlisten: [unix:/a, tls:127.0.0.1:1]\ntls-name: x\n").isEmpty)
    // What a flag says counts, and the file's value is not looked at.
    #expect(problems("log-level: x\n", ["--log-level", "info"]).isEmpty)
  }
}

@Suite("What a changed configuration brings about")
struct ConfigurationChangeTests {
  private func options(_ arguments: String...) throws -> ServeOptions {
    try ServeOptions(arguments, ProcessFacts(environment: [:], userID: 0)) {
      _ throws(UsageError) in []
    }
  }

  @Test("A log level and files of tls: hold at once, everything else after a restart, and is named")
  func change() throws {
    let told = try options("--listen", "tls:127.0.0.1:1", "--tls-client-ca", "/old")
    #expect(ConfigurationChange(from: told, level: .info, to: told).afterRestart.isEmpty)
    let new = try options(
      "--listen", "tls:127.0.0.1:1", "--listen", "unix:/a", "--log-level", "debug",
      "--tls-client-ca", "/ca", "--state-dir", "/s", "--max-streams", "7")
    let change = ConfigurationChange(from: told, level: .info, to: new)
    #expect(change.logLevel == .debug)
    #expect(change.tls?.clientCA == "/ca")
    #expect(
      change.afterRestart == [
        "--listen", "--state-dir", "--store", "--master-key-file", "the limits of callers",
      ])
  }

  @Test("The time that a hook may take holds at once, the directory of hooks after a restart")
  func hooks() throws {
    let none = try options()
    let told = try options("--before-stage-dir", "/h")
    let slower = try options("--before-stage-dir", "/h", "--hook-timeout", "90s")
    let elsewhere = try options("--before-stage-dir", "/i")
    let change = ConfigurationChange(from: told, level: .info, to: slower)
    #expect(change.hookTimeout == .seconds(90) && change.afterRestart.isEmpty)
    for (told, new) in [(told, elsewhere), (told, none), (none, told)] {
      #expect(
        ConfigurationChange(from: told, level: .info, to: new).afterRestart == [
          "--before-stage-dir"
        ])
    }
  }

  @Test("omnid's own CA is not exchanged for others, or others for it, before a restart")
  func ownAuthority() throws {
    let own = try options("--listen", "tls:127.0.0.1:1")
    let others = try options("--listen", "tls:127.0.0.1:1", "--tls-client-ca", "/ca")
    for (told, new) in [(own, others), (others, own)] {
      let change = ConfigurationChange(from: told, level: .info, to: new)
      #expect(change.tls?.clientCA == told.tls?.clientCA)
      #expect(change.afterRestart == ["--tls-client-ca"])
    }
  }

  @Test("A level that holds already is not set again")
  func level() throws {
    let told = try options()
    let new = try options("--log-level", "debug")
    #expect(ConfigurationChange(from: told, level: .debug, to: new).logLevel == nil)
    #expect(ConfigurationChange(from: new, level: .debug, to: told).logLevel == .info)
  }
}
