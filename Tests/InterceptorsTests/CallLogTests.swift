import Daemon
import Interceptors
import RPC
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct CallLogTests {
  static let change = method("Change")
  static let look = method("Look")

  static func method(_ name: String) -> RPC.Method<[UInt8], [UInt8]> {
    RPC.Method(service: "test.S", name: name, kind: .unary, request: .bytes, response: .bytes)
  }

  final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
    /// Waits for so many.
    func wait(for count: Int) async throws {
      while all.count < count { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  /// A client of methods of which `Change` is noteworthy; a request says how its call ends.
  func client(
    _ level: LogLevel, _ lines: Lines,
    identify: @escaping @Sendable (ServerCall) -> LoggedCaller? = { _ in nil }
  ) -> RPCClient {
    client(Logger(level: level, write: lines.add, now: { "now" }), identify: identify)
  }

  func client(
    _ logger: Logger, identify: @escaping @Sendable (ServerCall) -> LoggedCaller? = { _ in nil }
  ) -> RPCClient {
    var router = ServiceRouter(interceptors: [
      CallLog(.noteworthy, logger: logger, noteworthy: [Self.change.path], identify: identify),
      CallLog(.rest, logger: logger, noteworthy: [Self.change.path], identify: identify),
    ])
    for method in [Self.change, Self.look] {
      router.handle(method) { (request: [UInt8], call) -> [UInt8] in
        switch request {
        case [1]: throw RPCError(.notFound, "no such thing")
        case [2]: throw SomethingElse()
        case [3]: try await Task.sleep(for: .seconds(60))
        case [4]:
          call.record?.note("cluster", .text("prod\u{202E}"))
          call.record?.note("ttl", .number(60))
        default: break
        }
        return request
      }
    }
    return RPCClient(InProcessChannel(router))
  }

  struct SomethingElse: Error {}

  /// The lines, with the calls' identifiers and what they say of the time taken left out.
  func said(_ lines: Lines) -> [String] {
    lines.all.map { line in
      line.dropLast().split(separator: " ").filter {
        !$0.hasPrefix("milliseconds=") && !$0.hasPrefix("call=")
      }.joined(
        separator: " ")
    }
  }

  @Test("At info, calls that change something are logged and the others are not")
  func info() async throws {
    let lines = Lines()
    let client = client(.info, lines)
    _ = try await client.unary(Self.look, [])
    _ = try await client.unary(Self.change, [])
    #expect(said(lines) == ["now INFO call method=/test.S/Change caller=in-process code=OK"])
  }

  @Test("At debug every call is logged, each at its own level")
  func debug() async throws {
    let lines = Lines()
    let client = client(.debug, lines)
    _ = try await client.unary(Self.look, [])
    _ = try await client.unary(Self.change, [])
    #expect(
      said(lines) == [
        "now DEBUG call method=/test.S/Look caller=in-process code=OK",
        "now INFO call method=/test.S/Change caller=in-process code=OK",
      ])
  }

  @Test("A call that fails is logged with its code and what its caller was told")
  func failure() async throws {
    let lines = Lines()
    let client = client(.info, lines)
    _ = try? await client.unary(Self.change, [1])
    #expect(
      said(lines) == [
        "now INFO call method=/test.S/Change caller=in-process code=NOT_FOUND"
          + " error=\"no such thing\""
      ])
  }

  @Test("Of an error that is no status the log holds no text, since it could hold anything")
  func foreignError() async throws {
    let lines = Lines()
    let client = client(.info, lines)
    _ = try? await client.unary(Self.change, [2])
    #expect(said(lines) == ["now INFO call method=/test.S/Change caller=in-process code=UNKNOWN"])
  }

  @Test("A call whose deadline passes is logged as that, not as the cancellation of its handler")
  func late() async throws {
    let lines = Lines()
    let client = client(.info, lines)
    _ = try? await client.unary(
      Self.change, [3], options: CallOptions(timeout: .milliseconds(20)))
    try await lines.wait(for: 1)
    #expect(lines.all[0].contains("code=DEADLINE_EXCEEDED"))
  }

  @Test("The caller stands in the log by name, where there is one")
  func caller() async throws {
    let lines = Lines()
    let client = client(.info, lines) {
      LoggedCaller(name: "uid:7 at \($0.peer.address)", role: "operator")
    }
    _ = try await client.unary(Self.change, [])
    #expect(lines.all[0].contains("caller=\"uid:7 at in-process\" role=operator"))
  }

  @Test("A caller who is known and has no rights has the role none")
  func roleless() async throws {
    let lines = Lines()
    let client = client(.info, lines) { _ in LoggedCaller(name: "uid:7", role: nil) }
    _ = try await client.unary(Self.change, [])
    #expect(lines.all[0].contains("caller=uid:7 role=none"))
  }

  @Test("A caller whom the call itself shuts out is in the log by name all the same")
  func shutOut() async throws {
    let lines = Lines()
    let asked = Mutex(0)
    let client = client(.info, lines) { _ in
      asked.withLock { asked in
        asked += 1
        return asked == 1 ? LoggedCaller(name: "token:ci", role: "admin") : nil
      }
    }
    _ = try await client.unary(Self.change, [])
    #expect(lines.all[0].contains("caller=token:ci role=admin"))
  }

  @Test("A call's identifier is in its line and goes to its caller with the status, good or bad")
  func identifier() async throws {
    let lines = Lines()
    let client = client(.info, lines)
    let answer = try await client.unaryResponse(Self.change, [])
    let id = try #require(answer.trailingMetadata["x-request-id"])
    #expect(id.count == 16 && id.allSatisfy(\.isHexDigit))
    #expect(lines.all[0].contains(" call=\(id) "))
    let error = await #expect(throws: RPCError.self) { try await client.unary(Self.change, [1]) }
    let other = try #require(error?.metadata["x-request-id"])
    #expect(other != id && lines.all[1].contains(" call=\(other) "))
  }

  @Test("A call that is not logged has no record, and its caller is told no identifier")
  func unrecorded() async throws {
    let client = client(.info, Lines())
    #expect(try await client.unaryResponse(Self.look, []).trailingMetadata.isEmpty)
  }

  @Test("What serves the call notes for the log is in the line, cleaned")
  func notes() async throws {
    let lines = Lines()
    _ = try await client(.info, lines).unary(Self.change, [4])
    #expect(lines.all[0].contains(#" cluster="prod\u202e" ttl=60 code=OK "#))
  }

  @Test("A line says what time the call was given, and to which trace it belongs")
  func given() async throws {
    let lines = Lines()
    let client = client(.info, lines)
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    _ = try await client.unary(
      Self.change, [],
      options: CallOptions(
        timeout: .seconds(30),
        metadata: Metadata(["traceparent": "00-\(trace)-00f067aa0ba902b7-01"])))
    // The time on the way to the server is gone, and less than a second.
    let line = /.* timeout_milliseconds=(\d+) trace=(\w+)\n/
    let said = try #require(try line.wholeMatch(in: lines.all[0]))
    #expect((29_000...30_000).contains(Int(said.1) ?? 0) && said.2 == trace)
    _ = try await client.unary(
      Self.change, [], options: CallOptions(metadata: Metadata(["traceparent": "00-evil-x"])))
    #expect(!lines.all[1].contains("timeout_milliseconds") && !lines.all[1].contains("trace"))
  }

  @Test("Each method has one log around it")
  func intercepts() {
    let noteworthy = CallLog(.noteworthy, logger: Logger(), noteworthy: ["/a/B"]) { _ in nil }
    #expect(noteworthy.intercepts("/a/B") && !noteworthy.intercepts("/a/C"))
    let rest = CallLog(.rest, logger: Logger(), noteworthy: ["/a/B"]) { _ in nil }
    #expect(!rest.intercepts("/a/B") && rest.intercepts("/a/C"))
  }

  @Test("A level that is changed holds from the next call on")
  func change() async throws {
    let lines = Lines()
    let logger = Logger(level: .warning, write: lines.add, now: { "now" })
    let client = client(logger)
    _ = try await client.unary(Self.change, [])
    logger.level = .debug
    _ = try await client.unary(Self.look, [])
    logger.level = .info
    _ = try await client.unary(Self.look, [])
    #expect(said(lines) == ["now DEBUG call method=/test.S/Look caller=in-process code=OK"])
  }
}
