import RPC
import RPCTransport
import Testing

@Suite struct EncodedAnswerTests {
  func router(
    _ interceptors: [any ServerInterceptor] = [], limit: Int? = nil
  ) throws -> ServiceRouter {
    var router = ServiceRouter(interceptors: interceptors, compressions: .standard)
    if let limit { router.limits.responseMessageBytes = limit }
    let shared = try EncodedMessage([UInt8](repeating: 7, count: 3000), codec: Echo.unary.response)
    router.handleEncoded(Echo.unary) { (request: [UInt8], call) in
      if request == [1] { throw RPCError(.notFound, "no") }
      if request == [2] { call.compressResponses() }
      return shared
    }
    return router
  }

  @Test(
    "An answer that was encoded before reaches every caller, however the call is written",
    arguments: Transport.allCases)
  func forms(_ transport: Transport) async throws {
    try await transport.withClient(try router()) { client in
      for request: [UInt8] in [[], [2], []] {
        let answer = try await client.unary(Echo.unary, request)
        #expect(answer == [UInt8](repeating: 7, count: 3000))
      }
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
      #expect(error?.code == .notFound)
    }
  }

  @Test("The limit of responses holds for it too")
  func limit() async throws {
    try await Transport.unix.withClient(try router(limit: 2999)) { client in
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, []) }
      #expect(error?.code == .resourceExhausted)
    }
  }

  @Test("Interceptors stand around it as around any other")
  func interceptors() async throws {
    let log = InterceptorTests.Log()
    let recorder = InterceptorTests.Recorder(name: "a", log: log)
    let client = RPCClient(InProcessChannel(try router([recorder])))
    _ = try await client.unary(Echo.unary, [])
    #expect(log.all == ["a before /test.Echo/Unary", "a after"])
  }
}
