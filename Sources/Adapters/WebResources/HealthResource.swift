public import RPC

/// Answers `/healthz` and `/readyz`, for whoever reaches the listener: one word, and for what is not ready the reason.
public struct HealthResource: HTTPHandler {
  private let reason: @Sendable () -> String?

  /// - Parameter reason: why it is not as it should be; nil when it is. Nothing that strangers should not know.
  public init(unless reason: @escaping @Sendable () -> String?) { self.reason = reason }

  public func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    if let reason = reason() { return .text(503, reason) }
    return .text(200, "ok")
  }
}
