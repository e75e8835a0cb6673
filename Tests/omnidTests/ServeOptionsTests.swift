import Daemon
import RPCTransport
import Testing

@testable import omnid

@Suite("Options of omnid serve")
struct ServeOptionsTests {
  private func options(
    _ arguments: [String], environment: [String: String] = [:], userID: UInt32 = 0,
    files: [String: String] = [:]
  ) throws(UsageError) -> ServeOptions {
    try ServeOptions(arguments, ProcessFacts(environment: environment, userID: userID)) {
      path throws(UsageError) in
      guard let text = files[path] else { throw UsageError("no file \(path)") }
      return Array(text.utf8)
    }
  }

  @Test("Root serves and keeps its state where the file-system hierarchy says")
  func root() throws {
    let options = try options([], environment: ["XDG_RUNTIME_DIR": "/run/user/0"])
    #expect(options.listen == [.unix(path: "/run/omnid/omnid.sock")])
    #expect(options.stateDirectory == "/var/lib/omnid")
    #expect(options.storePath == "/var/lib/omnid/omnid.db")
    #expect(options.masterKey == .own(path: "/var/lib/omnid/master.key"))
    #expect(options.tls == nil)
    #expect(options.logFormat == .text)
    #expect(options.logLevel == .info)
  }

  @Test("Everybody else where the XDG base directories say")
  func user() throws {
    let told = try options(
      [],
      environment: [
        "XDG_RUNTIME_DIR": "/run/user/7", "XDG_STATE_HOME": "/s", "HOME": "/home/a",
      ], userID: 7)
    #expect(told.listen == [.unix(path: "/run/user/7/omnid/omnid.sock")])
    #expect(told.stateDirectory == "/s/omnid")
    let usual = try options([], environment: ["HOME": "/home/a"], userID: 7)
    #expect(usual.listen == [.unix(path: "/run/user/7/omnid/omnid.sock")])
    #expect(usual.stateDirectory == "/home/a/.local/state/omnid")
    let relative = try options(
      [], environment: ["XDG_STATE_HOME": "s", "HOME": "/home/a"], userID: 7)
    #expect(relative.stateDirectory == "/home/a/.local/state/omnid")
    #expect(throws: UsageError("neither XDG_STATE_HOME nor HOME is set: give --state-dir")) {
      try self.options([], userID: 7)
    }
  }

  @Test("As a service of systemd, in the directories that it has made")
  func service() throws {
    let environment = [
      "STATE_DIRECTORY": "/var/lib/omnid", "RUNTIME_DIRECTORY": "/run/omnid:/run/other",
      "XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/run/user/7",
    ]
    let told = try options([], environment: environment, userID: 7)
    #expect(told.listen == [.unix(path: "/run/omnid/omnid.sock")])
    #expect(told.stateDirectory == "/var/lib/omnid")
    let said = try options(["--state-dir", "/mine"], environment: environment, userID: 7)
    #expect(said.stateDirectory == "/mine")
  }

  @Test("A flag goes before the environment, that before the file, that before the default")
  func precedence() throws {
    let files = ["/c": "log-level: error\nlog-format: json\nstate-dir: /from-file\n"]
    let environment = ["OMNID_LOG_LEVEL": "warning", "OMNID_LOG_FORMAT": "text"]
    let options = try options(
      ["--log-level=debug", "--config", "/c"], environment: environment, files: files)
    #expect(options.logLevel == .debug)
    #expect(options.logFormat == .text)
    #expect(options.stateDirectory == "/from-file")
    #expect(options.storePath == "/from-file/omnid.db")
    let fromVariable = try self.options([], environment: ["OMNID_CONFIG": "/c"], files: files)
    #expect(fromVariable.logLevel == .error)
  }

  @Test("Listeners come from repeated flags, a list with commas, or a list in the file")
  func listeners() throws {
    let expected = [Endpoint.unix(path: "/a"), .unix(path: "/b")]
    #expect(try options(["--listen", "unix:/a", "--listen=unix:/b"]).listen == expected)
    #expect(
      try options([], environment: ["OMNID_LISTEN": "unix:/a,unix:/b"]).listen == expected)
    let file = "listen:\n  - unix:/a\n  - unix:/b\n"
    #expect(try options(["--config=/c"], files: ["/c": file]).listen == expected)
    #expect(
      try options(["--config=/c", "--listen=unix:/x"], files: ["/c": file]).listen
        == [.unix(path: "/x")])
    #expect(
      try options(["--config=/c"], files: ["/c": "listen: unix:/a"]).listen == [.unix(path: "/a")])
  }

  @Test("A listener with TLS takes files, all of them or the client CA alone, or needs none")
  func tls() throws {
    let flags = ["--listen=tls:[::1]:7443", "--tls-cert=c", "--tls-key=k", "--tls-client-ca=ca"]
    let options = try options(flags)
    #expect(options.listen == [.tls(host: "::1", port: 7443)])
    #expect(options.tls?.identity?.certificate == "c" && options.tls?.identity?.key == "k")
    #expect(options.tls?.clientCA == "ca" && options.tls?.files == ["c", "k", "ca"])
    for (missing, other) in [(1, "--tls-key needs --tls-cert"), (2, "--tls-cert needs --tls-key")] {
      var fewer = flags
      fewer.remove(at: missing)
      #expect(throws: UsageError(other)) { try self.options(fewer) }
    }
    #expect(try self.options(Array(flags.dropLast())).tls?.clientCA == nil)
    let own = try self.options([flags[0], "--tls-name=omnid.example", "--tls-name", "192.0.2.1"])
    #expect(own.tls?.identity == nil && own.tls?.files == [])
    #expect(own.tls?.names == ["omnid.example", "192.0.2.1"])
    #expect(throws: UsageError.self) { try self.options(flags + ["--tls-name=x"]) }
    #expect(throws: UsageError.self) { try self.options([flags[0], "--tls-name=a b"]) }
    #expect(throws: UsageError("--tls-cert is of no use without --listen tls:HOST:PORT")) {
      try self.options(["--tls-cert=c"])
    }
  }

  @Test("A Unix socket is the owner's alone, unless a group or a mode is given")
  func socketRights() throws {
    #expect(try options([]).socket == ServeOptions.SocketRights(mode: 0o600, group: nil))
    #expect(
      try options(["--socket-group=4321"]).socket
        == ServeOptions.SocketRights(mode: 0o660, group: 4321))
    #expect(
      try options(["--socket-mode=0666", "--socket-group=root"]).socket
        == ServeOptions.SocketRights(mode: 0o666, group: 0))
    for wrong in ["--socket-mode=0999", "--socket-mode=0400", "--socket-group=no such group"] {
      #expect(throws: UsageError.self) { try self.options([wrong]) }
    }
  }

  @Test("A socket may have a name and no file")
  func abstract() throws {
    #expect(try options(["--listen=unix-abstract:omnid"]).listen == [.abstract(name: "omnid")])
    #expect(throws: UsageError.self) {
      try self.options(["--listen=unix-abstract:" + String(repeating: "x", count: 108)])
    }
  }

  @Test("Limits have defaults, and are set in every place")
  func limits() throws {
    let usual = try options([])
    #expect(usual.limits == ServingLimits())
    #expect(usual.limits.server.maxConnections == 10_000 && usual.limits.server.maxIdle == nil)
    let told = try options(
      ["--max-connections=7", "--max-message-size=2MiB", "--max-idle=5m"],
      environment: ["OMNID_MAX_STREAMS": "9", "OMNID_CONFIG": "/c"],
      files: ["/c": "max-age: 2h\nmax-connections: 8\n"])
    #expect(told.limits.server.maxConnections == 7)
    #expect(told.limits.server.maxConcurrentStreams == 9)
    #expect(told.limits.server.maxIdle == .seconds(300))
    #expect(told.limits.server.maxAge == .seconds(7200))
    #expect(told.limits.messageBytes == 2 << 20)
    #expect(try options(["--max-age=0"]).limits.age == nil)
  }

  @Test("Each limit of a connection reaches the server")
  func connectionLimits() throws {
    let told = try options(
      [
        "--max-age-grace=1m", "--max-header-size=64KiB", "--max-request-memory=64MiB",
        "--max-response-memory=80MiB", "--handshake-timeout=3s", "--keepalive-interval=5m",
      ],
      environment: ["OMNID_KEEPALIVE_TIMEOUT": "7s", "OMNID_CONFIG": "/c"],
      files: ["/c": "min-ping-interval: 30s\nevent-loops: 3\n"]
    ).limits.server
    #expect(told.maxAgeGrace == .seconds(60))
    #expect(told.maxHeaderBytes == 64 << 10)
    #expect(told.heldBytes == 64 << 20 && told.heldBytesPerConnection == 8 << 20)
    #expect(told.waitingBytes == 80 << 20 && told.waitingBytesPerConnection == 10 << 20)
    #expect(told.handshakeTimeout == .seconds(3))
    #expect(told.keepaliveInterval == .seconds(300) && told.keepaliveTimeout == .seconds(7))
    #expect(told.minimumPingInterval == .seconds(30) && told.eventLoops == 3)
    let usual = try options([]).limits.server
    let own = ServerConfiguration()
    #expect(usual.heldBytesPerConnection == own.heldBytesPerConnection)
    #expect(usual.waitingBytesPerConnection == own.waitingBytesPerConnection)
    #expect(usual.maxHeaderBytes == own.maxHeaderBytes)
    #expect(usual.keepaliveInterval == own.keepaliveInterval && usual.maxAgeGrace == nil)
  }

  @Test("What listeners, addresses and handshakes may take is set, and has bounds when it is not")
  func shares() throws {
    let told = try options(
      [
        "--max-connections=500", "--max-connections-per-listener=300",
        "--max-connections-per-source=20",
      ], environment: ["OMNID_MAX_HANDSHAKES": "40", "OMNID_CONFIG": "/c"],
      files: ["/c": "reserved-connections: 50\n"]
    ).limits.server
    #expect(told.maxConnections == 500 && told.maxConnectionsPerListener == 300)
    #expect(told.maxConnectionsPerSource == 20)
    #expect(told.maxHandshakes == 40 && told.reservedConnections == 50)
    let usual = try options([]).limits.server
    #expect(usual.maxConnectionsPerListener == usual.maxConnections)
    #expect(usual.maxConnectionsPerSource == 1000)
    #expect(usual.maxHandshakes == 1000 && usual.reservedConnections == 100)
  }

  @Test("The master key is the given file, else the service manager's, else an own one")
  func masterKey() throws {
    #expect(try options(["--master-key-file=/k"]).masterKey == .given(path: "/k"))
    #expect(
      try options([], environment: ["CREDENTIALS_DIRECTORY": "/nowhere"]).masterKey
        == .own(path: "/var/lib/omnid/master.key"))
  }

  @Test(
    "What is wrong is refused with the place where it stands",
    arguments: [
      (["--nonsense"], "there is no flag --nonsense"),
      (["serve"], "'serve' is not expected here"),
      (
        ["--max-connections=0"],
        "--max-connections: '0' is not a number from 1 to 1000000"
      ),
      (["--max-streams=many"], "--max-streams: 'many' is not a number from 1 to 100000"),
      (
        ["--max-message-size=4GB"],
        "--max-message-size: '4GB' is not a size from 1KiB to 1024MiB, such as 512KiB or 4MiB"
      ),
      (
        ["--max-message-size=9223372036854775807"],
        "--max-message-size: '9223372036854775807' is not a size from 1KiB to 1024MiB, such as "
          + "512KiB or 4MiB"
      ),
      (
        ["--max-header-size=2MiB"],
        "--max-header-size: '2MiB' is not a size from 1KiB to 1MiB, such as 16KiB or 64KiB"
      ),
      (
        ["--max-request-memory=16MiB"],
        "--max-request-memory: one connection gets an eighth of it, which must hold more than a message "
          + "of --max-message-size; it is 2097152 bytes, and that 4194304"
      ),
      (
        ["--handshake-timeout=0"], "--handshake-timeout: '0' is not a time such as 90s, 5m or 1h30m"
      ),
      (["--event-loops=-1"], "--event-loops: '-1' is not a number from 0 to 1024"),
      (["--max-age=5"], "--max-age: '5' is not a time such as 90s, 5m or 1h30m, nor 0 for none"),
      (
        ["--max-idle=-1s"],
        "--max-idle: '-1s' is not a time such as 90s, 5m or 1h30m, nor 0 for none"
      ),
      (["--state-dir"], "--state-dir needs a value"),
      (["--state-dir="], "--state-dir needs a value"),
      (["--store=/a", "--store=/b"], "--store is given more than once"),
      (["--store=postgres:x"], "--store: 'postgres:x' is not written sqlite:PATH"),
      (["--store=sqlite:"], "--store: 'sqlite:' is not written sqlite:PATH"),
      (["--log-format=xml"], "--log-format: 'xml' is neither text nor json"),
      (["--log-level=loud"], "--log-level: 'loud' is not debug, info, warning or error"),
      (
        ["--listen=ftp:x"],
        "--listen: 'ftp:x' is not written unix:PATH, unix-abstract:NAME or tls:HOST:PORT"
      ),
      (
        ["--listen=unix:"],
        "--listen: 'unix:' is not written unix:PATH, unix-abstract:NAME or tls:HOST:PORT"
      ),
      (
        ["--listen=tcp:1.2.3.4:5"],
        "--listen: 'tcp:1.2.3.4:5' is not encrypted; there are unix: and tls:"
      ),
      (
        ["--listen=unix:/a", "--listen=unix:/a"], "--listen: 'unix:/a' is given more than once"
      ),
      (["--config=/missing"], "no file /missing"),
    ])
  func refusals(_ arguments: [String], _ message: String) {
    #expect(throws: UsageError(message)) { try options(arguments) }
  }

  @Test("A socket's path fits into its address")
  func longPath() {
    #expect(throws: Never.self) {
      try options(["--listen=unix:/" + String(repeating: "x", count: 106)])
    }
    #expect(throws: UsageError.self) {
      try options(["--listen=unix:/" + String(repeating: "x", count: 107)])
    }
  }

  @Test(
    "The configuration file is refused with the line that is wrong",
    arguments: [
      ("state-dir: /a\nstat-dir: /b\n", "/c:2: stat-dir: there is no such setting"),
      ("config: /d\n", "/c:1: config: there is no such setting"),
      ("\nlog-level: [debug]\n", "/c:2: log-level: a single value is expected"),
      ("listen: [[a]]\n", "/c:1: listen: a list of texts is expected"),
      ("listen: []\n", "/c:1: listen needs a value"),
      ("state-dir:\n", "/c:1: state-dir needs a value"),
      ("- a\n", "/c: a mapping of settings is expected, such as 'log-level: debug'"),
      ("log-level: a\n---\nlog-level: b\n", "/c: more than one YAML document"),
      (
        "log-level: loud\n", "/c:1: log-level: 'loud' is not debug, info, warning or error"
      ),
    ])
  func badFiles(_ text: String, _ message: String) {
    #expect(throws: UsageError(message)) {
      try options(["--config", "/c"], files: ["/c": text])
    }
  }

  @Test("A file that is no YAML, or holds a key twice, is refused")
  func noYAML() {
    for text in ["a: b: c", "log-level: debug\nlog-level: info\n", "\u{0}"] {
      #expect(throws: UsageError.self) {
        try options(["--config", "/c"], files: ["/c": text])
      }
    }
    #expect(throws: Never.self) { try options(["--config", "/c"], files: ["/c": "# nothing\n"]) }
  }
}
