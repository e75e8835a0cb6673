public import RPC

/// Lets calls of some services wait until the server has read its journal: a client that finds the
/// socket there is answered, not turned away.
public struct OpeningGate: ServerInterceptor {
  private let opening: OneTimeEvent
  private let prefixes: [String]

  public init(opening: OneTimeEvent, services: [String]) {
    self.opening = opening
    prefixes = services.map { "/\($0)/" }
  }

  public func intercepts(_ path: String) -> Bool { prefixes.contains { path.hasPrefix($0) } }

  public func passes(_ call: ServerCall) -> Bool { opening.hasHappened }

  public func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    await opening.wait()
    try await next()
  }
}
