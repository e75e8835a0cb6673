public import RPC

/// Answers `/healthz` and `/readyz`, for whoever reaches the listener: one word, and for what is not ready the reason.
public struct HealthResource: HTTPHandler {
  private let reason: @Sendable () async -> String?

  /// - Parameter reason: why it is not as it should be; nil when it is. Nothing that strangers should not know.
  public init(unless reason: @escaping @Sendable () async -> String?) { self.reason = reason }

  public func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    if let reason = await reason() { return .text(503, reason) }
    return .text(200, "ok")
  }
}
