import HTTP2Codes
import RPC
import Synchronization
import Testing

@Suite struct RetryTests {
  /// Fails the first calls with a code, then answers with the attempts it was told of.
  static func router(failures: Int, _ code: StatusCode, count: Counter) -> ServiceRouter {
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], call) in
      if count.next() <= failures { throw RPCError(code, "not now") }
      return Array((call.metadata["grpc-previous-rpc-attempts"] ?? "0").utf8)
    }
    return router
  }

  final class Counter: Sendable {
    private let value = Atomic(0)
    func next() -> Int { value.add(1, ordering: .relaxed).newValue }
    var count: Int { value.load(ordering: .relaxed) }
  }

  let policy = RetryPolicy(maxAttempts: 4, initialBackoff: .milliseconds(1))

  @Test("A call that fails with a retryable code is made again and says so")
  func again() async throws {
    let count = Counter()
    let client = RPCClient(
      InProcessChannel(Self.router(failures: 2, .unavailable, count: count)), retry: policy)
    #expect(try await client.unary(Echo.unary, []) == Array("2".utf8))
    #expect(count.count == 3)
  }

  @Test("Another code is final")
  func final() async throws {
    let count = Counter()
    let client = RPCClient(
      InProcessChannel(Self.router(failures: 1, .internalError, count: count)), retry: policy)
    await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, []) }
    #expect(count.count == 1)
  }

  @Test("Attempts are limited")
  func limited() async throws {
    let count = Counter()
    let client = RPCClient(
      InProcessChannel(Self.router(failures: 100, .unavailable, count: count)), retry: policy)
    await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, []) }
    #expect(count.count == 4)
  }

  @Test("When most calls fail, retries stop")
  func throttled() async throws {
    let count = Counter()
    let client = RPCClient(
      InProcessChannel(Self.router(failures: 1000, .unavailable, count: count)), retry: policy)
    for _ in 0..<20 {
      await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, []) }
    }
    #expect(count.count < 30)
  }

  private static let answer: [ScriptedChannel.Step] = [
    .head([":status": "200", "content-type": "application/grpc"]), .body([1].enveloped()),
    .trailers(["grpc-status": "0"]),
  ]

  @Test("A call that the server has certainly not seen is made once more, without any policy")
  func unprocessed() async throws {
    for end: StreamEnd in [
      .reset(.refusedStream), .connectionLost(RPCError(.unavailable, "GOAWAY"), processed: false),
    ] {
      let once = ScriptedChannel(scripts: [[.close(end)], Self.answer])
      #expect(try await RPCClient(once).unary(Echo.unary, []) == [1])
      #expect(once.requests.count == 2)
      // The server did nothing for it: it is no attempt to tell of.
      #expect(once.requests[1].fields.first("grpc-previous-rpc-attempts") == nil)
      let always = ScriptedChannel([.close(end)])
      let error = await #expect(throws: RPCError.self) {
        try await RPCClient(always).unary(Echo.unary, [])
      }
      #expect(error?.code == .unavailable)
      #expect(always.requests.count == 2)
    }
    let lost = ScriptedChannel([
      .close(.connectionLost(RPCError(.unavailable, "gone"), processed: true))
    ])
    await #expect(throws: RPCError.self) { try await RPCClient(lost).unary(Echo.unary, []) }
    #expect(lost.requests.count == 1)
  }

  @Test("Once the server has begun to answer, a call is not made again")
  func committed() async throws {
    let channel = ScriptedChannel([
      Self.answer[0], .trailers(["grpc-status": "14", "grpc-message": "half way"]),
    ])
    let error = await #expect(throws: RPCError.self) {
      try await RPCClient(channel, retry: policy).unary(Echo.unary, [])
    }
    #expect(error?.code == .unavailable && error?.message == "half way")
    #expect(channel.requests.count == 1)
  }

  @Test("The server may say when to try again, or never to", arguments: ["30", "-1", "soon"])
  func pushback(_ pushback: String) async throws {
    let channel = ScriptedChannel(scripts: [
      [
        .head(
          [
            ":status": "200", "content-type": "application/grpc", "grpc-status": "14",
            "grpc-retry-pushback-ms": pushback,
          ], isLast: true)
      ], Self.answer,
    ])
    let client = RPCClient(channel, retry: policy)
    let started = ContinuousClock.now
    if pushback == "30" {
      #expect(try await client.unary(Echo.unary, []) == [1])
      #expect(ContinuousClock.now - started >= .milliseconds(30))
      #expect(channel.requests[1].fields.first("grpc-previous-rpc-attempts") == "1")
    } else {
      await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, []) }
      #expect(channel.requests.count == 1)
    }
  }

  @Test("Without a policy a call is made once")
  func once() async throws {
    let count = Counter()
    let client = RPCClient(
      InProcessChannel(Self.router(failures: 1, .unavailable, count: count)))
    await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, []) }
    #expect(count.count == 1)
  }
}

@Suite struct InterceptorTests {
  struct Recorder: ServerInterceptor, ClientInterceptor {
    let name: String
    let log: Log

    func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
      log.add("\(name) before \(call.path)")
      do { try await next() } catch let error as RPCError {
        log.add("\(name) saw \(error.code)")
        throw error
      }
      log.add("\(name) after")
    }

    func intercept(
      path: String, options: CallOptions, next: (CallOptions) async throws -> Void
    ) async throws {
      var options = options
      options.metadata.append("x-in", name)
      try await next(options)
    }
  }

  final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
  }

  struct Refuse: ServerInterceptor {
    func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
      throw RPCError(.permissionDenied, "not you")
    }
  }

  func router(_ interceptors: [any ServerInterceptor]) -> ServiceRouter {
    var router = ServiceRouter(interceptors: interceptors)
    router.handle(Echo.unary) { (request: [UInt8], call) in
      if let trace = TraceContext.current { return trace.traceID }
      return Array((call.metadata["x-in"] ?? "").utf8)
    }
    return router
  }

  @Test("Interceptors run around the handler, the first outermost")
  func order() async throws {
    let log = Log()
    let client = RPCClient(
      InProcessChannel(router([Recorder(name: "a", log: log), Recorder(name: "b", log: log)])),
      interceptors: [Recorder(name: "client", log: log)])
    #expect(try await client.unary(Echo.unary, []) == Array("client".utf8))
    #expect(
      log.all == [
        "a before /test.Echo/Unary", "b before /test.Echo/Unary", "b after", "a after",
      ])
  }

  @Test("An interceptor that throws refuses the call, and outer ones see the error")
  func refusal() async throws {
    let log = Log()
    let client = RPCClient(
      InProcessChannel(router([Recorder(name: "a", log: log), Refuse()])))
    let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, []) }
    #expect(error?.code == .permissionDenied)
    #expect(log.all.last == "a saw permissionDenied")
  }

  @Test("A trace goes with the calls that are made for it")
  func trace() async throws {
    let client = RPCClient(
      InProcessChannel(router([TraceInterceptor()])), interceptors: [TraceInterceptor()])
    let context = try #require(
      TraceContext(traceparent: "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-01"))
    let seen = try await TraceContext.$current.withValue(context) {
      try await client.unary(Echo.unary, [])
    }
    #expect(seen == context.traceID)
    for malformed in [
      "", "00-00-00-00", "00-" + String(repeating: "0", count: 32) + "-1112131415161718-01",
    ] {
      #expect(TraceContext(traceparent: malformed) == nil)
    }
  }

  @Test("A client's interceptor sees how each call ended")
  func outcomes() async throws {
    struct Outcomes: ClientInterceptor {
      let log: Log
      func intercept(
        path: String, options: CallOptions, next: (CallOptions) async throws -> Void
      ) async throws {
        do { try await next(options) } catch {
          log.add("\(path) \((error as? RPCError)?.code.name ?? "?")")
          throw error
        }
        log.add("\(path) OK")
      }
    }
    let log = Log()
    let client = RPCClient(InProcessChannel(Echo.router()), interceptors: [Outcomes(log: log)])
    _ = try await client.unary(Echo.unary, [])
    _ = try? await client.unary(Echo.unary, Array("fail".utf8))
    try await client.serverStreaming(Echo.count, [3]) { for try await _ in $0 {} }
    #expect(
      log.all == [
        "/test.Echo/Unary OK", "/test.Echo/Unary FAILED_PRECONDITION", "/test.Echo/Count OK",
      ])
  }
}
