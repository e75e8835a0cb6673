import Interceptors
import RPC
import Testing

@Suite struct OpeningGateTests {
  static let method = RPC.Method<[UInt8], [UInt8]>(
    service: "test.S", name: "Call", kind: .unary, request: .bytes, response: .bytes)

  func client(_ gate: OpeningGate) -> RPCClient {
    var router = ServiceRouter(interceptors: [gate])
    router.handle(Self.method) { (request: [UInt8], _) in request }
    return RPCClient(InProcessChannel(router))
  }

  @Test("Calls wait for the opening and are then answered")
  func waits() async throws {
    let opening = OneTimeEvent()
    let client = client(OpeningGate(opening: opening, services: ["test.S"]))
    let call = Task { try await client.unary(Self.method, [7]) }
    let early = await #expect(throws: RPCError.self) {
      try await client.unary(
        Self.method, [7], options: CallOptions(timeout: .milliseconds(50)))
    }
    #expect(early?.code == .deadlineExceeded)
    opening.happen()
    #expect(try await call.value == [7])
    #expect(try await client.unary(Self.method, [8]) == [8])
  }

  @Test("Calls that do not need what is being read do not wait")
  func early() async throws {
    let gate = OpeningGate(opening: OneTimeEvent(), services: ["test.S"]) { call in
      call.fields.first("early") != nil
    }
    let client = client(gate)
    let early = CallOptions(timeout: .seconds(10), metadata: Metadata(["early": "yes"]))
    #expect(try await client.unary(Self.method, [7], options: early) == [7])
    let late = await #expect(throws: RPCError.self) {
      try await client.unary(Self.method, [7], options: CallOptions(timeout: .milliseconds(50)))
    }
    #expect(late?.code == .deadlineExceeded)
  }

  @Test("Calls of other services do not wait")
  func otherServices() async throws {
    let gate = OpeningGate(opening: OneTimeEvent(), services: ["test.Other", "test"])
    #expect(!gate.intercepts("/test.S/Call"))
    #expect(gate.intercepts("/test.Other/Call"))
    #expect(try await client(gate).unary(Self.method, [7]) == [7])
  }

  @Test("Whoever waits for an event goes on when it happens, and whoever comes later does not wait")
  func event() async {
    let event = OneTimeEvent()
    #expect(!event.hasHappened)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<10 { group.addTask { await event.wait() } }
      event.happen()
    }
    #expect(event.hasHappened)
    await event.wait()
  }
}
