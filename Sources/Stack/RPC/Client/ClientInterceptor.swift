/// Code that runs around every call of a client: credentials, metrics, tracing.
///
/// It may change the options (such as add metadata) before `next` makes the call, and sees the error
/// the call ended with.
public protocol ClientInterceptor: Sendable {
  func intercept(
    path: String, options: CallOptions, next: (CallOptions) async throws -> Void
  ) async throws
}
