public import RPC
public import Schema
import Synchronization

/// The standard health service (`grpc.health.v1`): whether this server, or one service of it, takes
/// calls.
///
/// The empty name stands for the server as a whole. Level-triggered: a slow watcher is told the
/// newest status, not each one there was.
public final class HealthService: Sendable {
  public typealias Status = GRPCHealth.HealthCheckResponse.ServingStatus

  /// How many services `List` tells of, as the schema asks for.
  private static let listLimit = 100
  /// The largest request, in bytes. A request holds the name of one service.
  private static let requestBytes = 1024

  private struct Watched {
    /// Keeps the newest status alone.
    let broadcast: Broadcast<GRPCHealth.HealthCheckResponse>
    var told: Status
    var watchers = 0
  }

  private struct State {
    var statuses: [String: Status] = ["": .notServing]
    /// The services that are watched now, known or not.
    var watched: [String: Watched] = [:]
    var isDraining = false
  }

  private let state = Mutex(State())

  /// Knows the server as a whole, NOT_SERVING, and nothing else yet.
  public init() {}

  /// Says how a service is; a new name makes it known. Without effect once draining.
  public func set(_ status: Status, for services: [String]) {
    change { state in
      guard !state.isDraining else { return }
      for service in services { state.statuses[service] = status }
    }
  }

  /// Every service that is known, the server as a whole among them, takes calls.
  public func serve() {
    change { state in
      guard !state.isDraining else { return }
      for service in state.statuses.keys { state.statuses[service] = .serving }
    }
  }

  /// Nothing takes calls any more, for good. Watches are told so and then end with UNAVAILABLE: a
  /// server that drains waits for its calls to end.
  public func drain() {
    change { state in
      state.isDraining = true
      for service in state.statuses.keys { state.statuses[service] = .notServing }
    }
  }

  /// Whether the server as a whole takes calls.
  public var isServing: Bool { state.withLock { $0.statuses[""] == .serving } }

  /// Serves the methods of the service.
  public func register(in router: inout ServiceRouter) {
    router.handle(GRPCHealth.HealthMethods.check) { request, _ in try self.check(request) }
    router.handle(GRPCHealth.HealthMethods.list) {
      (_: GRPCHealth.HealthListRequest, _) in try self.list()
    }
    router.handle(GRPCHealth.HealthMethods.watch) { request, writer, _ in
      try await self.watch(request, writer)
    }
    // A watch keeps its request for as long as it lasts, and that counts nowhere.
    let small = MethodLimits(requestMessageBytes: Self.requestBytes)
    router.limit(GRPCHealth.HealthMethods.check, small)
    router.limit(GRPCHealth.HealthMethods.list, small)
    router.limit(GRPCHealth.HealthMethods.watch, small)
  }

  // MARK: - Handlers

  private func check(
    _ request: GRPCHealth.HealthCheckRequest
  ) throws(RPCError) -> GRPCHealth.HealthCheckResponse {
    guard let status = state.withLock({ $0.statuses[request.service] }) else {
      throw RPCError(.notFound, "unknown service \(request.service.prefix(256))")
    }
    return Self.response(status)
  }

  private func list() throws(RPCError) -> GRPCHealth.HealthListResponse {
    let statuses = state.withLock { $0.statuses }
    guard statuses.count <= Self.listLimit else {
      throw RPCError(
        .resourceExhausted, "more than \(Self.listLimit) services: ask for each with Check")
    }
    var response = GRPCHealth.HealthListResponse()
    response.statuses = statuses.mapValues { Self.response($0) }
    return response
  }

  private func watch(
    _ request: GRPCHealth.HealthCheckRequest,
    _ writer: ResponseWriter<GRPCHealth.HealthCheckResponse>
  ) async throws {
    let broadcast = try beginWatch(request.service)
    defer { endWatch(request.service) }
    try await writer.follow(broadcast, newestFirst: true)
  }

  private func beginWatch(
    _ service: String
  ) throws -> Broadcast<GRPCHealth.HealthCheckResponse> {
    try state.withLock { state in
      var watched: Watched
      if let known = state.watched[service] {
        watched = known
      } else {
        watched = Watched(
          broadcast: Broadcast(codec: GRPCHealth.HealthMethods.watch.response, kept: 1),
          told: state.statuses[service] ?? .serviceUnknown)
        try watched.broadcast.send(Self.response(watched.told))
        if state.isDraining { watched.broadcast.finish(throwing: Self.draining) }
      }
      watched.watchers += 1
      state.watched[service] = watched
      return watched.broadcast
    }
  }

  private func endWatch(_ service: String) {
    state.withLock { state in
      state.watched[service]?.watchers -= 1
      if state.watched[service]?.watchers == 0 { state.watched[service] = nil }
    }
  }

  private static let draining = RPCError(.unavailable, "the server is draining")

  private static func response(_ status: Status) -> GRPCHealth.HealthCheckResponse {
    var response = GRPCHealth.HealthCheckResponse()
    response.status = status
    return response
  }

  /// Changes what is known, and tells whoever watches. Under the lock, so that they are told in order.
  private func change(_ body: (inout State) -> Void) {
    state.withLock { state in
      body(&state)
      for (service, watched) in state.watched {
        let status = state.statuses[service] ?? .serviceUnknown
        if status != watched.told {
          state.watched[service]?.told = status
          // A message of one enum can be encoded.
          try? watched.broadcast.send(Self.response(status))
        }
        if state.isDraining { watched.broadcast.finish(throwing: Self.draining) }
      }
    }
  }
}
