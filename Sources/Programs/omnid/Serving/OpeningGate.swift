import RPC

/// Lets calls of some services wait until the server has read its journal: a client that finds the
/// socket there is answered, not turned away.
struct OpeningGate: ServerInterceptor {
  let opening: OneTimeEvent
  private let prefixes: [String]

  init(opening: OneTimeEvent, services: [String]) {
    self.opening = opening
    prefixes = services.map { "/\($0)/" }
  }

  func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    if prefixes.contains(where: { call.path.hasPrefix($0) }) { await opening.wait() }
    try await next()
  }
}
