import RPC
import RPCTransport
import Schema
import StandardServices
import Synchronization
import Testing

/// Channels that send no calls to a server that says it does not serve.
@Suite("Health-aware channels", .timeLimit(.minutes(1)))
struct HealthProbeTests {
  private static let echo = RPC.Method<[UInt8], [UInt8]>(
    service: "example.Service", name: "Echo", kind: .unary, request: .bytes, response: .bytes)
  private static let chat = RPC.Method<[UInt8], [UInt8]>(
    service: "example.Service", name: "Chat", kind: .bidirectionalStreaming, request: .bytes,
    response: .bytes)

  /// Serves the example beside what `register` adds, to a channel that watches its health.
  private func withServer(
    _ register: (inout ServiceRouter) -> Void,
    _ body: (RPCClient, SocketChannel, RPCServer) async throws -> Void
  ) async throws {
    var router = ServiceRouter()
    router.handle(Self.echo) { (request: [UInt8], _) in request }
    router.handle(Self.chat) {
      (requests: RequestStream<[UInt8]>, writer: ResponseWriter<[UInt8]>, _) in
      for try await request in requests { try await writer.write(request) }
    }
    register(&router)
    let server = try RPCServer(router)
    let port = try await server.listen(plaintext: "127.0.0.1", port: 0)
    var configuration = ChannelConfiguration()
    configuration.backoff = .eager
    configuration.readinessProbe = HealthProbe(
      service: "example.Service", firstPause: .milliseconds(10))
    let channel = try SocketChannel(
      .plaintext(host: "127.0.0.1", port: port), configuration: configuration)
    do { try await body(RPCClient(channel), channel, server) } catch {
      await server.shutdown(grace: .zero)
      throw error
    }
    await server.shutdown(grace: .seconds(1))
  }

  private let patient = CallOptions(timeout: .seconds(20), waitForReady: true)

  /// Calls until the call fails as it should.
  private func failure(_ client: RPCClient) async throws -> RPCError {
    while true {
      do {
        _ = try await client.unary(Self.echo, [1], options: CallOptions(timeout: .seconds(20)))
      } catch { return error }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  @Test(
    "Until the server serves, a call fails and says why, and one that waits for it is made then")
  func becomesReady() async throws {
    let health = HealthService()
    health.set(.notServing, for: ["example.Service"])
    try await withServer({ health.register(in: &$0) }) { (client, _, _) async throws in
      let error = await #expect(throws: RPCError.self) { try await client.unary(Self.echo, [1]) }
      #expect(error?.code == .unavailable)
      #expect(error?.message.contains("example.Service") == true)
      #expect(error?.message.contains("NOT_SERVING") == true, "\(String(describing: error))")
      async let answer = client.unary(Self.echo, [2], options: patient)
      try await Task.sleep(for: .milliseconds(50))
      health.set(.serving, for: ["example.Service"])
      #expect(try await answer == [2])
      #expect(try await client.unary(Self.echo, [3]) == [3])
    }
  }

  @Test("When the server stops to serve, calls under way go on and new ones fail")
  func stops() async throws {
    let health = HealthService()
    health.set(.serving, for: ["example.Service"])
    try await withServer({ health.register(in: &$0) }) { (client, _, _) async throws in
      try await client.bidirectional(Self.chat) { writer, stream in
        var iterator = stream.makeAsyncIterator()
        try await writer.write([1])
        #expect(try await iterator.next() == [1])
        health.set(.notServing, for: ["example.Service"])
        let error = try await failure(client)
        #expect(error.code == .unavailable && error.message.contains("NOT_SERVING"))
        try await writer.write([2])
        #expect(try await iterator.next() == [2])
        try await writer.finish()
        #expect(try await iterator.next() == nil)
      }
      health.set(.serving, for: ["example.Service"])
      #expect(try await client.unary(Self.echo, [3], options: patient) == [3])
    }
  }

  @Test("A server without a health service counts as healthy")
  func withoutHealth() async throws {
    try await withServer({ _ in }) { (client, _, _) async throws in
      #expect(try await client.unary(Self.echo, [1]) == [1])
    }
  }

  @Test("A watch that breaks is begun anew")
  func breaks() async throws {
    let watches = Atomic(0)
    try await withServer({ router in
      router.handle(GRPCHealth.HealthMethods.watch) {
        (
          _: GRPCHealth.HealthCheckRequest, writer: ResponseWriter<GRPCHealth.HealthCheckResponse>,
          _: ServerCall
        ) in
        let watch = watches.add(1, ordering: .relaxed).newValue
        if watch == 1 { throw RPCError(.internalError, "no idea") }
        var response = GRPCHealth.HealthCheckResponse()
        response.status = .serving
        try await writer.write(response)
        if watch > 2 { try await Task.sleep(for: .seconds(60)) }
      }
    }) { (client, _, _) async throws in
      let error = await #expect(throws: RPCError.self) { try await client.unary(Self.echo, [1]) }
      #expect(error?.code == .unavailable)
      #expect(error?.message.contains("no idea") == true, "\(String(describing: error))")
      #expect(try await client.unary(Self.echo, [2], options: patient) == [2])
      while watches.load(ordering: .relaxed) < 3 { try await Task.sleep(for: .milliseconds(5)) }
      #expect(try await client.unary(Self.echo, [3], options: patient) == [3])
    }
  }

  @Test("A call that waits for the server ends at its deadline, and when the channel is closed")
  func leaves() async throws {
    try await withServer({ HealthService().register(in: &$0) }) {
      (client, channel, _) async throws in
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(
          Self.echo, [1], options: CallOptions(timeout: .milliseconds(50), waitForReady: true))
      }
      #expect(error?.code == .deadlineExceeded)
      async let answer = client.unary(Self.echo, [2], options: patient)
      try await Task.sleep(for: .milliseconds(50))
      channel.close()
      do {
        _ = try await answer
        Issue.record("a closed channel made a call")
      } catch {
        #expect((error as? RPCError)?.code == .unavailable)
      }
    }
  }

  @Test("The watch does not hold up a server that drains, and goes with the next connection")
  func drains() async throws {
    let health = HealthService()
    health.set(.serving, for: ["example.Service"])
    try await withServer({ health.register(in: &$0) }) { (client, _, server) async throws in
      #expect(try await client.unary(Self.echo, [1]) == [1])
      server.closeConnections()
      // A call that had already gone out on the connection fails with it.
      var answer: [UInt8]?
      while answer == nil {
        do { answer = try await client.unary(Self.echo, [2], options: patient) } catch {
          #expect((error as? RPCError)?.code == .unavailable)
        }
      }
      #expect(answer == [2])
      let started = ContinuousClock.now
      await server.shutdown(grace: .seconds(30))
      #expect(ContinuousClock.now - started < .seconds(15))
    }
  }
}
