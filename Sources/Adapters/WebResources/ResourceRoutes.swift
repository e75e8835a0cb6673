public import RPC

/// The plain HTTP resources of one server, for `ServiceRouter.resources`: which handler answers which path.
///
/// The routes are tried in order, and the first whose pattern fits answers. A path that no route fits is
/// answered with 404 and a text that lists what is served.
public struct ResourceRoutes: HTTPHandler {
  /// What a route's paths look like. A request's query is not looked at.
  public enum Pattern: Sendable, Equatable {
    /// This path alone.
    case path(String)
    /// Every path that begins so.
    case prefix(String)

    /// - Parameter path: without a query.
    func fits(_ path: Substring) -> Bool {
      switch self {
      case .path(let whole): path == whole
      case .prefix(let start): path.hasPrefix(start)
      }
    }

    var shown: String {
      switch self {
      case .path(let whole): whole
      case .prefix(let start): start + "…"
      }
    }
  }

  private var routes: [(pattern: Pattern, handler: any HTTPHandler)] = []

  public init() {}

  /// Adds a route behind those that are there.
  public mutating func add(_ pattern: Pattern, _ handler: any HTTPHandler) {
    routes.append((pattern, handler))
  }

  public func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    let path = request.path.prefix { $0 != "?" }
    guard let route = routes.first(where: { $0.pattern.fits(path) }) else {
      return .text(404, nothingHere)
    }
    return await route.handler.respond(to: request, peer: peer)
  }

  /// The path that was asked for is not repeated in the answer, because its writer may be anybody.
  private var nothingHere: String {
    let served = routes.map(\.pattern.shown).joined(separator: ", ")
    return "There is no method and no page at this path. GET is answered at: "
      + (served.isEmpty ? "no path" : served)
      + ". Methods are called with POST to /package.Service/Method."
  }
}
