/// Code that runs around the calls of a router: authorisation, audit, metrics, tracing.
///
/// A call may be over before `next` returns, with a status that the handler knows nothing of:
/// `ServerCall.outcome` tells. What is refused before a handler is found for it (an unknown method, a
/// method's limit of concurrent calls, an encoding that is not supported) comes by no interceptor.
public protocol ServerInterceptor: Sendable {
  /// Whether calls of the method, `/package.Service/Method`, are of interest. Asked once, when the method is
  /// registered; not asked for what `handleUnknown` serves, since any method may come there.
  func intercepts(_ path: String) -> Bool

  /// Whether there is nothing to do for this call, so that `intercept` need not be called. Asked on the call's
  /// executor, at most twice for a call; must not block, and changes nothing.
  func passes(_ call: ServerCall) -> Bool

  /// `next` runs the rest of the chain and the handler. An interceptor that throws instead of calling `next`
  /// refuses the call with that error; one that catches may replace the error. A unary call whose handler was
  /// left out without an error ends with `internalError`.
  func intercept(_ call: ServerCall, next: () async throws -> Void) async throws
}

extension ServerInterceptor {
  public func intercepts(_ path: String) -> Bool { true }
  public func passes(_ call: ServerCall) -> Bool { false }
}

/// The interceptors of a method, the first outermost.
struct InterceptorChain: Sendable {
  private let interceptors: [any ServerInterceptor]

  init(_ interceptors: [any ServerInterceptor] = []) { self.interceptors = interceptors }

  /// Those of the interceptors that a method's calls are of interest to.
  func around(_ path: String) -> InterceptorChain {
    InterceptorChain(interceptors.filter { $0.intercepts(path) })
  }

  /// Whether no interceptor has anything to do for the call.
  func passes(_ call: ServerCall) -> Bool {
    for interceptor in interceptors where !interceptor.passes(call) { return false }
    return true
  }

  /// Runs the body inside those interceptors that have something to do for the call.
  func run(_ call: ServerCall, _ body: () async throws -> Void) async throws {
    try await run(call, from: 0, body)
  }

  private func run(
    _ call: ServerCall, from start: Int, _ body: () async throws -> Void
  ) async throws {
    var index = start
    while index < interceptors.count && interceptors[index].passes(call) { index += 1 }
    if index == interceptors.count { return try await body() }
    try await interceptors[index].intercept(call) {
      try await run(call, from: index + 1, body)
    }
  }
}
