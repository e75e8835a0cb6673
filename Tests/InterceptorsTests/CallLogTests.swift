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
    identify: @escaping @Sendable (ServerCall) -> String? = { _ in nil }
  ) -> RPCClient {
    client(Logger(level: level, write: lines.add, now: { "now" }), identify: identify)
  }

  func client(
    _ logger: Logger, identify: @escaping @Sendable (ServerCall) -> String? = { _ in nil }
  ) -> RPCClient {
    var router = ServiceRouter(interceptors: [
      CallLog(.noteworthy, logger: logger, noteworthy: [Self.change.path], identify: identify),
      CallLog(.rest, logger: logger, noteworthy: [Self.change.path], identify: identify),
    ])
    for method in [Self.change, Self.look] {
      router.handle(method) { (request: [UInt8], _) -> [UInt8] in
        switch request {
        case [1]: throw RPCError(.notFound, "no such thing")
        case [2]: throw SomethingElse()
        case [3]: try await Task.sleep(for: .seconds(60))
        default: break
        }
        return request
      }
    }
    return RPCClient(InProcessChannel(router))
  }

  struct SomethingElse: Error {}

  /// The lines, with what they say of the time taken left out.
  func said(_ lines: Lines) -> [String] {
    lines.all.map { line in
      line.dropLast().split(separator: " ").filter { !$0.hasPrefix("milliseconds=") }.joined(
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
    let client = client(.info, lines) { "uid:7 at \($0.peer.address)" }
    _ = try await client.unary(Self.change, [])
    #expect(lines.all[0].contains("caller=\"uid:7 at in-process\""))
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
