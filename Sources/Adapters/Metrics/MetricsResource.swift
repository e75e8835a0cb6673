public import Access
public import RPC
import WebResources

/// Answers `/metrics`. The caller is known as callers of methods are, and has to be a reader at least; whoever is bound
/// to some clusters is shown these, and nothing of other callers.
public struct MetricsResource: HTTPHandler {
  public typealias Identify = @Sendable (_ peer: Peer, _ authorization: String?) -> Identification
  /// Gathers what the caller may see.
  public typealias Collect = @Sendable (_ caller: Caller) async -> [MetricFamily]

  private let isReady: @Sendable () -> Bool
  private let identify: Identify
  private let collect: Collect

  /// - Parameter isReady: whether it has been read who may call, and there is anything to tell.
  public init(
    isReady: @escaping @Sendable () -> Bool, identify: @escaping Identify,
    collect: @escaping Collect
  ) {
    self.isReady = isReady
    self.identify = identify
    self.collect = collect
  }

  public func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    guard isReady() else { return .text(503, "omnid is starting or stopping: try again") }
    guard case .caller(let caller) = identify(peer, request.fields.first("authorization")) else {
      // The reason is for nobody but the server: what was shown may be somebody else's.
      return .text(
        401,
        "Metrics are for readers: show a token (Authorization: Bearer TOKEN, from 'omnictl access issue'), or a "
          + "client certificate.", fields: ["www-authenticate": "Bearer realm=\"omnid\""])
    }
    guard caller.may(.reader) else {
      return .text(403, "Metrics are for readers: have an admin issue a grant with that role.")
    }
    let exposition = Exposition(accept: request.fields.first("accept"))
    return HTTPResponse(
      status: 200,
      fields: HeaderFields([
        "content-type": exposition.contentType, "cache-control": "no-store", "vary": "accept",
        "x-content-type-options": "nosniff",
      ]), body: Array(exposition.text(await collect(caller)).utf8))
  }
}
