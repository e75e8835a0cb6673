import Crypto
import Encodings
import Orchestrator
import ProtoCodec
import RPC
import RPCTransport
import Rotation

/// What came of one request to an API server.
enum KubernetesAnswer {
  /// An HTTP status; the body of a success is JSON, or text for health endpoints.
  case status(Int, [UInt8])
  /// We do not accept the server's certificate.
  case untrusted(String, CertificateFault)
  /// The server broke the handshake off because of our certificate.
  case rejected(String)
  /// No answer.
  case unreachable(String)

  /// Whether the server has told a client that it knows that something is wrong with the server itself.
  var isError: Bool {
    if case .status(let code, _) = self { (500..<600).contains(code) } else { false }
  }

  /// Short, for the detail of a check.
  var summary: String {
    switch self {
    case .status(let code, _): "HTTP \(code)"
    case .untrusted(let text, _), .rejected(let text), .unreachable(let text): text
    }
  }
}

/// Requests to one Kubernetes API server, over one HTTP/2 connection that lives as long as the closure.
struct KubernetesClient: Sendable {
  private let http: HTTPClient
  private let timeout: Duration

  /// Opens a connection, lends it, and closes it.
  static func with<Result: Sendable>(
    _ host: String, _ port: Int, _ tls: TLSClient, timeout: Duration,
    _ body: (KubernetesClient) async throws(DriverError) -> Result
  ) async throws(DriverError) -> Result {
    let channel = try tls.channel(to: host, port, connectTimeout: timeout)
    defer { channel.close() }
    return try await body(KubernetesClient(http: HTTPClient(channel), timeout: timeout))
  }

  private init(http: HTTPClient, timeout: Duration) {
    self.http = http
    self.timeout = timeout
  }

  func send(_ method: String, _ path: String) async -> KubernetesAnswer {
    await exchange(method, path).answer
  }

  /// One request, its answer, and what the server's clock says of the moment.
  private func exchange(
    _ method: String, _ path: String
  ) async -> (answer: KubernetesAnswer, date: Instant?) {
    let request = HTTPRequest(
      method: method, path: path,
      fields: HeaderFields(["accept": "application/json", "user-agent": "omnid"]))
    do throws(RPCError) {
      let response = try await http.send(request, timeout: timeout)
      let date = response.fields.first("date").flatMap(Instant.init(httpDate:))
      return (.status(response.status, response.body), date)
    } catch {
      let said = PeerText.clean(error.message)
      let answer: KubernetesAnswer =
        switch error.cause?.tlsFailure {
        case .certificateRefused?: .rejected(said)
        case .peerNotTrusted(let fault, _)?: .untrusted(said, fault)
        case .alert?, .peerFault?, .ownFault?, nil: .unreachable(said)
        }
      return (answer, nil)
    }
  }

  /// The JSON of a resource; nil where there is none (404).
  func get(_ path: String) async throws(DriverError) -> JSONValue? {
    try await getDated(path)?.object
  }

  /// The JSON of a resource, and the time at which the server gave it, by its clock.
  func getDated(
    _ path: String
  ) async throws(DriverError) -> (object: JSONValue, date: Instant?)? {
    let (answer, date) = await exchange("GET", path)
    // Names of objects, and the token of a list, come from the server.
    let shown = path.utf8.count > PeerText.limit ? path.prefix(PeerText.limit) + "…" : path[...]
    switch answer {
    case .status(200, let body):
      do { return (try JSONValue(parsing: body), date) } catch {
        throw DriverError(.refused, "GET \(shown) answered with what is no JSON")
      }
    case .status(404, _): return nil
    case .status(401, _): throw DriverError(.unauthenticated, "GET \(shown): HTTP 401")
    case .status(403, _): throw DriverError(.permissionDenied, "GET \(shown): HTTP 403")
    case .status(let code, _): throw DriverError(.refused, "GET \(shown): HTTP \(code)")
    case .untrusted(let text, _), .rejected(let text): throw DriverError(.unauthenticated, text)
    case .unreachable(let text): throw DriverError(.unreachable, text)
    }
  }

  /// All items of a list.
  ///
  /// - Parameters:
  ///   - query: further parameters of the list, escaped.
  ///   - mayBeAbsent: whether the server need not know the resource; the list is empty then.
  /// - Throws: `.refused` for a resource that has to be there and is not.
  func list(
    _ path: String, _ query: String = "", mayBeAbsent: Bool = false
  ) async throws(DriverError) -> [JSONValue] {
    var items: [JSONValue] = []
    try await pages(of: path, query, mayBeAbsent: mayBeAbsent) { items += $0 }
    return items
  }

  /// The most pages of a list, and the longest token of the next one, in bytes.
  private static let pageLimit = 2_000
  private static let tokenBytes = 8 << 10

  /// The items of a list, page by page, so that a long one is never in memory as a whole.
  func pages(
    of path: String, _ query: String = "", mayBeAbsent: Bool = false,
    _ body: ([JSONValue]) -> Void
  ) async throws(DriverError) {
    var count = 0
    var token = ""
    var pages = 0
    repeat {
      // A server that always has one more page, each of them empty, would be asked without end.
      pages += 1
      guard pages <= Self.pageLimit else {
        throw DriverError(.refused, "GET \(path): more than \(Self.pageLimit) pages")
      }
      let more =
        (query.isEmpty ? "" : "&" + query)
        + (token.isEmpty ? "" : "&continue=" + Self.escaped(token))
      guard let page = try await get(path + "?limit=250" + more) else {
        guard !mayBeAbsent else { return }
        throw DriverError(.refused, "GET \(path): HTTP 404")
      }
      let items = page["items"]?.array ?? []
      body(items)
      count += items.count
      token = page["metadata"]?["continue"]?.string ?? ""
      guard token.utf8.count <= Self.tokenBytes else {
        throw DriverError(.refused, "GET \(path): the token of the next page is too long")
      }
      guard count <= 100_000 else {
        throw DriverError(.refused, "GET \(path): more than 100,000 items")
      }
    } while !token.isEmpty
  }

  /// A text in the query of a URL (RFC 3986: all but the unreserved characters escaped).
  static func escaped(_ text: String) -> String {
    PercentEncoding.encode(text, keeping: .unreserved)
  }
}
