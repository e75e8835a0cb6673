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

  private struct State {
    var statuses: [String: Status] = ["": .notServing]
    /// Rises with every change; what watchers compare.
    var version: UInt64 = 0
    var isDraining = false
    var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var nextWaiter: UInt64 = 0
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

  /// Serves the methods of the service.
  public func register(in router: inout ServiceRouter) {
    router.handle(GRPCHealth.HealthMethods.check) { request, _ in try self.check(request) }
    router.handle(GRPCHealth.HealthMethods.list) {
      (_: GRPCHealth.HealthListRequest, _) in try self.list()
    }
    router.handle(GRPCHealth.HealthMethods.watch) { request, writer, _ in
      try await self.watch(request, writer)
    }
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
    var told: Status?
    while true {
      let (status, version, isDraining) = state.withLock { state in
        (state.statuses[request.service] ?? .serviceUnknown, state.version, state.isDraining)
      }
      if status != told {
        try await writer.write(Self.response(status))
        told = status
      }
      if isDraining { throw RPCError(.unavailable, "the server is draining") }
      try await changed(since: version)
    }
  }

  private static func response(_ status: Status) -> GRPCHealth.HealthCheckResponse {
    var response = GRPCHealth.HealthCheckResponse()
    response.status = status
    return response
  }

  // MARK: - Waiting

  /// Returns once the statuses are newer than `version`.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  private func changed(since version: UInt64) async throws {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let isOver = state.withLock { state in
          if state.version > version || Task.isCancelled { return true }
          state.waiters[id] = waiter
          return false
        }
        if isOver { waiter.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
    }
    try Task.checkCancellation()
  }

  private func change(_ body: (inout State) -> Void) {
    let waiters = state.withLock { state in
      body(&state)
      state.version += 1
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume() }
  }
}
