public import Access
public import RPC
import Rotation

/// Lets calls pass whose callers are known and have the method's least role. Every other call is refused and written
/// into the audit log.
///
/// A call that lasts ends when what its caller is known by is revoked or expires. Which clusters a caller is bound to,
/// the handlers ask: only they know which one a request names.
public struct Authorization: ServerInterceptor {
  private let identify: @Sendable (ServerCall) -> Identification
  private let registry: GrantRegistry
  private let refusals: RefusalTrail
  private let now: @Sendable () -> Int64

  /// - Parameter now: Unix seconds.
  public init(
    identify: @escaping @Sendable (ServerCall) -> Identification, registry: GrantRegistry,
    refusals: RefusalTrail, now: @escaping @Sendable () -> Int64
  ) {
    self.identify = identify
    self.registry = registry
    self.refusals = refusals
    self.now = now
  }

  public func passes(_ call: ServerCall) -> Bool {
    guard case .caller(let caller) = identify(call) else { return false }
    if caller.grant != nil && call.kind != .unary { return false }
    return caller.role == .admin || caller.may(MethodRoles.least(call.path))
  }

  public func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    let method = String(call.path.split(separator: "/").last ?? "")
    switch identify(call) {
    case .unknown(let reason):
      let error = RPCError.unidentified
      await refusals.note(
        caller: "unknown \(call.peer.address)", key: "unknown", method: method,
        code: error.code.name, message: reason)
      throw error
    case .caller(let caller):
      let least = MethodRoles.least(call.path)
      guard caller.may(least) else {
        let error = RPCError.lacksRole(caller, method: method, least: least)
        await refusals.note(
          caller: caller.name, key: caller.name, method: method, code: error.code.name,
          message: error.message)
        throw error
      }
      guard let grant = caller.grant, call.kind != .unary else { return try await next() }
      try await lasting(call, grant: grant, until: caller.expiresAt, next)
    }
  }

  private func lasting(
    _ call: ServerCall, grant: String, until end: Int64?, _ next: () async throws -> Void
  ) async throws {
    guard let number = registry.enter(grant, end: { call.end(.unidentified) }) else {
      throw RPCError.unidentified
    }
    let timer = end.map { end in
      Task.detached { [now] in
        // At most a minute at a time: the clock may be set meanwhile.
        while case let left = end - now(), left >= 0 {
          try await Task.sleep(for: .seconds(min(left + 1, 60)))
        }
        call.end(.unidentified)
      }
    }
    defer {
      timer?.cancel()
      registry.leave(grant, number)
    }
    try await next()
  }
}
