import RPC
import Testing
import WebResources

@Suite struct ResourceRoutesTests {
  /// Answers with its name.
  private struct Named: HTTPHandler {
    var name: String

    func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse { .text(200, name) }
  }

  private let routes: ResourceRoutes = {
    var routes = ResourceRoutes()
    routes.add(.path("/metrics"), Named(name: "metrics"))
    routes.add(.prefix("/ui/special"), Named(name: "special"))
    routes.add(.prefix("/ui/"), Named(name: "ui"))
    routes.add(.path("/"), Named(name: "root"))
    return routes
  }()

  private func ask(_ path: String) async -> (status: Int, body: String) {
    let answer = await routes.respond(
      to: HTTPRequest(method: "GET", path: path), peer: Peer(address: "unix:"))
    return (answer.status, String(decoding: answer.body, as: UTF8.self))
  }

  @Test(
    "The first route that fits answers, whatever the query",
    arguments: [
      ("/metrics", "metrics"), ("/metrics?a=/ui/", "metrics"), ("/ui/special/x", "special"),
      ("/ui/page", "ui"), ("/ui/", "ui"), ("/", "root"), ("/?q", "root"),
    ])
  func fits(path: String, name: String) async {
    #expect(await ask(path) == (200, name + "\n"))
  }

  @Test(
    "A path that no route fits is not found, and the answer says what is served",
    arguments: ["/metrics/", "/metric", "/ui", "", "/METRICS", "//"])
  func nothing(path: String) async {
    let (status, body) = await ask(path)
    #expect(status == 404)
    #expect(body.contains("/metrics, /ui/special…, /ui/…, /."))
  }

  @Test("What is not found does not repeat what was asked, and is plain text")
  func noEcho() async {
    let answer = await routes.respond(
      to: HTTPRequest(method: "GET", path: "/<script>"), peer: Peer(address: "unix:"))
    #expect(!String(decoding: answer.body, as: UTF8.self).contains("script"))
    #expect(answer.fields.first("content-type") == "text/plain; charset=utf-8")
    #expect(answer.fields.first("x-content-type-options") == "nosniff")
  }
}
