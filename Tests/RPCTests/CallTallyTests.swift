import RPC
import Testing

@Suite("What is counted of calls", .timeLimit(.minutes(1))) struct CallTallyTests {
  private static let unary = RPC.Method<[UInt8], [UInt8]>(
    service: "test.S", name: "Unary", kind: .unary, request: .bytes, response: .bytes)
  private static let stream = RPC.Method<[UInt8], [UInt8]>(
    service: "test.S", name: "Stream", kind: .serverStreaming, request: .bytes, response: .bytes)

  private let tallies: [CallTally]
  private let client: RPCClient

  init() {
    var router = ServiceRouter()
    router.handle(Self.unary) { request, _ in
      switch request.first {
      case 1: throw RPCError(.notFound, "no such thing")
      case 2: try await Task.sleep(for: .seconds(60))
      default: break
      }
      return request
    }
    router.handle(Self.stream) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, _: ServerCall) in
      try await writer.write([1])
      try await Task.sleep(for: .seconds(60))
    }
    router.limit(Self.unary, MethodLimits(concurrentCalls: 1))
    router.admission = { _, head in
      head.fields.first("authorization") == nil ? nil : RPCError(.unauthenticated, "who are you?")
    }
    tallies = router.tallies
    client = RPCClient(InProcessChannel(router))
  }

  private func tally(_ path: String) throws -> CallTally {
    try #require(tallies.first { $0.path == path })
  }

  @Test("A unary call counts once, by its status, and by how long it took")
  func unary() async throws {
    _ = try await client.unary(Self.unary, [])
    _ = try? await client.unary(Self.unary, [1])
    _ = try? await client.unary(Self.unary, [2], options: CallOptions(timeout: .milliseconds(200)))
    let tally = try tally("/test.S/Unary")
    while tally.latency.counts.reduce(0, +) < 3 { try await Task.sleep(for: .milliseconds(1)) }
    #expect(tally.count(.ok) == 1 && tally.count(.notFound) == 1)
    // The client gives up at the same instant: which of the two the server hears first is open.
    #expect(tally.count(.deadlineExceeded) + tally.count(.cancelled) == 1)
    let (counts, sum) = tally.latency
    #expect(counts.count == CallTally.bounds.count + 1 && counts.reduce(0, +) == 3)
    // The server begins to count after the client.
    #expect(sum > .milliseconds(50) && sum < .seconds(60))
    // The call that took 50 ms and more is in none of the buckets below.
    let below = try #require(CallTally.bounds.firstIndex(of: .milliseconds(50)))
    #expect(counts[...below].reduce(0, +) <= 2)
  }

  @Test("What is refused before there is a call counts, and took no time")
  func refused() async throws {
    var options = CallOptions()
    options.metadata = Metadata(["authorization": "x"])
    _ = try? await client.unary(Self.unary, [], options: options)
    let tally = try tally("/test.S/Unary")
    #expect(tally.count(.unauthenticated) == 1)
    #expect(tally.latency.counts.reduce(0, +) == 0)
  }

  @Test("Methods that are not served count together")
  func unknown() async throws {
    for name in ["A", "B"] {
      let method = RPC.Method<[UInt8], [UInt8]>(
        service: "test.S", name: name, kind: .unary, request: .bytes, response: .bytes)
      _ = try? await client.unary(method, [])
    }
    #expect(try tally("").count(.unimplemented) == 2)
    #expect(tallies.map(\.path) == ["", "/test.S/Unary", "/test.S/Stream"])
  }

  @Test("A call with a stream is open until it ends, and then counts by how it ended")
  func streams() async throws {
    let tally = try tally("/test.S/Stream")
    let client = client
    let reader = Task {
      try await client.serverStreaming(Self.stream, []) { for try await _ in $0 {} }
    }
    while tally.openStreams == 0 { try await Task.sleep(for: .milliseconds(1)) }
    #expect(tally.openStreams == 1 && tally.count(.ok) == 0)
    reader.cancel()
    while tally.openStreams > 0 { try await Task.sleep(for: .milliseconds(1)) }
    #expect(tally.count(.cancelled) == 1)
  }
}
