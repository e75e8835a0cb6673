/// Code that runs around every call of a router: authorisation, audit, metrics, tracing.
///
/// `next` runs the rest of the chain and the handler. An interceptor that throws instead of calling
/// it refuses the call with that error; one that catches may replace the error. A unary call whose
/// handler was left out without an error ends with `internalError`.
///
/// A call may be over before `next` returns, with a status that the handler knows nothing of:
/// `ServerCall.outcome` tells. What is refused before a handler is found for it (an unknown method, a
/// method's limit of concurrent calls, an encoding that is not supported) comes by no interceptor.
public protocol ServerInterceptor: Sendable {
  func intercept(_ call: ServerCall, next: () async throws -> Void) async throws
}
