import RPC
import Synchronization
import Testing

@Suite struct InterceptorChainTests {
  /// Intercepts the methods it is told to, lets the calls pass it is told to, and writes down the rest.
  struct Choosy: ServerInterceptor {
    let name: String
    let log: InterceptorTests.Log
    var methods: Set<String> = [Echo.unary.path, Echo.count.path, Echo.chat.path]
    var lets: @Sendable (ServerCall) -> Bool = { _ in false }

    func intercepts(_ path: String) -> Bool {
      log.add("\(name) is asked of \(path)")
      return methods.contains(path)
    }

    func passes(_ call: ServerCall) -> Bool { lets(call) }

    func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
      log.add("\(name) before")
      try await next()
      log.add("\(name) after")
    }
  }

  func router(_ interceptors: [any ServerInterceptor]) -> ServiceRouter {
    var router = ServiceRouter(interceptors: interceptors)
    router.handle(Echo.unary) { (request: [UInt8], _) in request }
    return router
  }

  @Test("An interceptor is asked once whether a method is of interest, when it is registered")
  func asked() async throws {
    let log = InterceptorTests.Log()
    let router = router([Choosy(name: "a", log: log, methods: [])])
    #expect(log.all == ["a is asked of /test.Echo/Unary"])
    let client = RPCClient(InProcessChannel(router))
    for _ in 0..<2 { #expect(try await client.unary(Echo.unary, [1]) == [1]) }
    #expect(log.all == ["a is asked of /test.Echo/Unary"])
  }

  @Test(
    "An interceptor that lets a call pass is left out, and the others stand around it as before")
  func passing() async throws {
    let log = InterceptorTests.Log()
    let router = router([
      Choosy(name: "a", log: log), Choosy(name: "b", log: log, lets: { _ in true }),
      Choosy(name: "c", log: log), Choosy(name: "d", log: log, methods: []),
    ])
    let client = RPCClient(InProcessChannel(router))
    #expect(try await client.unary(Echo.unary, [1]) == [1])
    #expect(log.all.dropFirst(4) == ["a before", "c before", "c after", "a after"])
  }

  @Test("What an interceptor lets pass may differ from call to call")
  func perCall() async throws {
    let log = InterceptorTests.Log()
    let router = router([Choosy(name: "a", log: log, lets: { $0.deadline == nil })])
    let client = RPCClient(InProcessChannel(router))
    _ = try await client.unary(Echo.unary, [1])
    #expect(log.all.count == 1)
    _ = try await client.unary(Echo.unary, [1], options: CallOptions(timeout: .seconds(30)))
    #expect(log.all.dropFirst() == ["a before", "a after"])
  }

  @Test("Methods that are not registered are every interceptor's business")
  func fallback() async throws {
    let log = InterceptorTests.Log()
    var router = ServiceRouter(interceptors: [Choosy(name: "a", log: log, methods: [])])
    router.handleUnknown { requests, writer, _ in
      for try await request in requests { try await writer.write(request) }
    }
    let client = RPCClient(InProcessChannel(router))
    #expect(try await client.unary(Echo.unary, [1]) == [1])
    #expect(log.all == ["a before", "a after"])
  }
}
