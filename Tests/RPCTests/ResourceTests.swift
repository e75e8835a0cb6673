import RPC
import RPCTransport
import Testing

/// Pages and the like, beside the methods of a router.
@Suite struct ResourceTests {
  /// Tells what it was asked.
  private struct Teller: HTTPHandler {
    func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
      if let status = ["/same": 304, "/empty": 204][request.path] {
        return HTTPResponse(status: status, fields: HeaderFields(["etag": "\"x\""]))
      }
      return HTTPResponse(
        status: request.path == "/none" ? 404 : 200,
        fields: HeaderFields(["content-type": "text/plain"]),
        body: Array("\(request.method) \(request.path)".utf8))
    }
  }

  private let client: HTTPClient = {
    var router = Echo.router()
    router.resources = Teller()
    router.admission = { _, _ in RPCError(.unauthenticated, "who are you?") }
    return HTTPClient(InProcessChannel(router))
  }()

  private func send(
    _ method: String, _ path: String, _ body: [UInt8] = []
  ) async throws -> (
    status: Int, length: String?, body: String
  ) {
    let response = try await client.send(
      HTTPRequest(method: method, path: path, body: body), timeout: .seconds(5))
    return (
      response.status, response.fields.first("content-length"),
      String(decoding: response.body, as: UTF8.self)
    )
  }

  @Test("GET of a path that is no method's is the resources' to answer, with its query")
  func get() async throws {
    #expect(try await send("GET", "/page?a=b") == (200, "13", "GET /page?a=b"))
    #expect(try await send("GET", "/none") == (404, "9", "GET /none"))
  }

  @Test("HEAD is answered with the fields of GET and no body")
  func head() async throws {
    #expect(try await send("HEAD", "/page") == (200, "10", ""))
  }

  @Test("What has no body by its status says no length of one (RFC 9110 section 8.6)")
  func withoutBody() async throws {
    #expect(try await send("GET", "/same") == (304, nil, ""))
    #expect(try await send("HEAD", "/same") == (304, nil, ""))
    #expect(try await send("GET", "/empty") == (204, nil, ""))
  }

  @Test("Methods and all other requests stay the router's")
  func others() async throws {
    #expect(try await send("GET", Echo.unary.path).status == 405)
    #expect(try await send("PUT", "/page").status == 404)
    #expect(try await send("POST", "/page").status == 415)
  }

  @Test("A body that nobody asked for is refused")
  func body() async throws {
    #expect(try await send("GET", "/page", [1]).status == 413)
  }
}
