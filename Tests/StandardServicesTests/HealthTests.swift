import RPC
import Schema
import StandardServices
import Synchronization
import Testing

@Suite("Health", .timeLimit(.minutes(1)))
struct HealthTests {
  private let health = HealthService()
  private let client: RPCClient

  init() {
    var router = ServiceRouter()
    health.register(in: &router)
    health.set(.notServing, for: ["example.Service"])
    client = RPCClient(InProcessChannel(router))
  }

  private func check(_ service: String) async throws(RPCError) -> HealthService.Status {
    var request = GRPCHealth.HealthCheckRequest()
    request.service = service
    return try await client.unary(GRPCHealth.HealthMethods.check, request).status
  }

  /// Reads statuses until `enough` says so.
  private func watch(
    _ service: String, until enough: @escaping @Sendable (HealthService.Status) -> Bool
  ) async throws -> [HealthService.Status] {
    var request = GRPCHealth.HealthCheckRequest()
    request.service = service
    return try await client.serverStreaming(GRPCHealth.HealthMethods.watch, request) { stream in
      var seen: [HealthService.Status] = []
      for try await response in stream {
        seen.append(response.status)
        if enough(response.status) { break }
      }
      return seen
    }
  }

  @Test("The server and every service are NOT_SERVING, then SERVING, then NOT_SERVING for good")
  func life() async throws {
    for service in ["", "example.Service"] {
      #expect(try await check(service) == .notServing)
    }
    health.serve()
    for service in ["", "example.Service"] {
      #expect(try await check(service) == .serving)
    }
    health.drain()
    health.serve()
    health.set(.serving, for: ["example.Service"])
    for service in ["", "example.Service"] {
      #expect(try await check(service) == .notServing)
    }
  }

  @Test("Checking an unknown service is NOT_FOUND")
  func unknown() async throws {
    await #expect {
      _ = try await check("example.Other")
    } throws: {
      ($0 as? RPCError)?.code == .notFound
    }
  }

  @Test(
    "A name longer than any service's is refused, because a watch keeps its request for as long as it lasts"
  )
  func longNames() async throws {
    let name = String(repeating: "x", count: 2000)
    await #expect {
      _ = try await check(name)
    } throws: {
      ($0 as? RPCError)?.code == .resourceExhausted
    }
    await #expect {
      _ = try await watch(name) { _ in true }
    } throws: {
      ($0 as? RPCError)?.code == .resourceExhausted
    }
    #expect(try await watch(String(name.prefix(900))) { _ in true } == [.serviceUnknown])
  }

  @Test("List tells of every service")
  func list() async throws {
    let response = try await client.unary(
      GRPCHealth.HealthMethods.list, GRPCHealth.HealthListRequest())
    #expect(
      response.statuses.mapValues(\.status) == ["": .notServing, "example.Service": .notServing])
  }

  @Test("A watch is told the status at once and then each change")
  func watches() async throws {
    let health = self.health
    let seen = try await watch("example.Service") { status in
      if status == .notServing { health.serve() }
      return status == .serving
    }
    #expect(seen == [.notServing, .serving])
  }

  @Test("A watch of an unknown service says SERVICE_UNKNOWN and goes on until it is known")
  func becomesKnown() async throws {
    let health = self.health
    let seen = try await watch("later.Service") { status in
      if status == .serviceUnknown { health.set(.serving, for: ["later.Service"]) }
      return status == .serving
    }
    #expect(seen == [.serviceUnknown, .serving])
  }

  @Test("Draining tells a watch NOT_SERVING and ends it with UNAVAILABLE")
  func drains() async throws {
    health.serve()
    let health = self.health
    let seen = Mutex<[HealthService.Status]>([])
    await #expect {
      _ = try await watch("") { status in
        seen.withLock { $0.append(status) }
        if status == .serving { health.drain() }
        return false
      }
    } throws: {
      ($0 as? RPCError)?.code == .unavailable
    }
    #expect(seen.withLock { $0 } == [.serving, .notServing])
  }

  @Test("A watch that is left holds nothing")
  func leaves() async throws {
    let task = Task { try await watch("") { _ in false } }
    try await Task.sleep(for: .milliseconds(20))
    task.cancel()
    _ = try? await task.value
    health.serve()
    #expect(try await check("") == .serving)
  }
}
