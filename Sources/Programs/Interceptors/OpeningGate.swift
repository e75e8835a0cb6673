public import RPC

/// Lets calls of some services wait until the server has read its journal, but for those that do not need all of it: a
/// client that finds the socket there is answered, not turned away.
public struct OpeningGate: ServerInterceptor {
  private let opening: OneTimeEvent
  private let prefixes: [String]
  private let isEarly: @Sendable (ServerCall) -> Bool

  /// - Parameter isEarly: which calls do not wait.
  public init(
    opening: OneTimeEvent, services: [String],
    isEarly: @escaping @Sendable (ServerCall) -> Bool = { _ in false }
  ) {
    self.opening = opening
    self.isEarly = isEarly
    prefixes = services.map { "/\($0)/" }
  }

  public func intercepts(_ path: String) -> Bool { prefixes.contains { path.hasPrefix($0) } }

  public func passes(_ call: ServerCall) -> Bool {
    opening.hasHappened || isEarly(call)
  }

  public func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    await opening.wait()
    try await next()
  }
}
