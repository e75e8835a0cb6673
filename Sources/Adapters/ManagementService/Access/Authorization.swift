public import Access
public import RPC
import Rotation

/// Lets calls pass whose callers are known and have the method's least role. Every other call is refused and written
/// into the audit log.
///
/// It is asked twice: `refusal` before anything of a request is kept, so that strangers cannot fill the memory that
/// requests wait in; and as an interceptor when the grants have been read. A call that lasts ends when what its caller
/// is known by is revoked or expires. Which clusters a caller is bound to, the handlers ask: only they know which one a
/// request names.
public struct Authorization: ServerInterceptor {
  /// - Parameter fields: those of the call's head.
  public typealias Identify = @Sendable (_ peer: Peer, _ fields: HeaderFields) -> Identification

  private let identify: Identify
  private let registry: GrantRegistry
  private let refusals: RefusalTrail
  private let now: @Sendable () -> Int64

  /// - Parameter now: Unix seconds.
  public init(
    identify: @escaping Identify, registry: GrantRegistry, refusals: RefusalTrail,
    now: @escaping @Sendable () -> Int64
  ) {
    self.identify = identify
    self.registry = registry
    self.refusals = refusals
    self.now = now
  }

  /// Why a call is refused, by its head alone; nil when it is not. For `ServiceRouter.admission`.
  public func refusal(_ peer: Peer, _ head: HTTPRequestHead) -> RPCError? {
    let identity = identify(peer, head.fields)
    if case .caller(let caller) = identity, caller.role == .admin { return nil }
    let path = head.path
    if MethodRoles.takesNoCaller(path) { return nil }
    // What was issued has not been read yet: the interceptor asks again when it has.
    if !registry.isLoaded,
      head.fields.first("authorization") != nil || !peer.certificates.isEmpty
    {
      return nil
    }
    guard let (error, name, key, reason) = refusal(identity, peer, path) else { return nil }
    refusals.noteLater(
      caller: name, key: key, method: MethodRoles.name(path), code: error.code.name, message: reason
    )
    return error
  }

  public func passes(_ call: ServerCall) -> Bool {
    guard case .caller(let caller) = identify(call.peer, call.fields) else {
      return MethodRoles.takesNoCaller(call.path)
    }
    if call.kind != .unary && !caller.bonds.isEmpty { return false }
    return caller.role == .admin || caller.may(MethodRoles.least(call.path))
  }

  public func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    let identity = identify(call.peer, call.fields)
    if let (error, name, key, reason) = refusal(identity, call.peer, call.path) {
      await refusals.note(
        caller: name, key: key, method: MethodRoles.name(call.path), code: error.code.name,
        message: reason)
      throw error
    }
    guard let caller = identity.caller, !caller.bonds.isEmpty, call.kind != .unary else {
      return try await next()
    }
    try await lasting(call, caller, next)
  }

  /// The error, and what the log tells of it.
  private func refusal(
    _ identity: Identification, _ peer: Peer, _ path: String
  ) -> (error: RPCError, name: String, key: String, reason: String)? {
    if MethodRoles.takesNoCaller(path) { return nil }
    switch identity {
    case .unknown(let reason):
      return (.unidentified, "unknown \(peer.address)", "unknown", reason)
    case .caller(let caller):
      let least = MethodRoles.least(path)
      if caller.may(least) { return nil }
      let error = RPCError.lacksRole(caller, method: MethodRoles.name(path), least: least)
      return (error, caller.name, caller.name, error.message)
    }
  }

  private func lasting(
    _ call: ServerCall, _ caller: Caller, _ next: () async throws -> Void
  ) async throws {
    var entered: [(bond: String, number: UInt64)] = []
    defer { for (bond, number) in entered { registry.leave(bond, number) } }
    for bond in caller.bonds {
      guard let number = registry.enter(bond, end: { call.end(.unidentified) }) else {
        throw RPCError.unidentified
      }
      entered.append((bond, number))
    }
    // What a session ended between the first look and `enter` was not told.
    guard identify(call.peer, call.fields).caller != nil else { throw RPCError.unidentified }
    let timer = caller.expiresAt.map { end in
      Task.detached { [now] in
        // At most a minute at a time: the clock may be set meanwhile.
        while case let left = end - now(), left >= 0 {
          try await Task.sleep(for: .seconds(min(left + 1, 60)))
        }
        call.end(.unidentified)
      }
    }
    defer { timer?.cancel() }
    try await next()
  }
}
