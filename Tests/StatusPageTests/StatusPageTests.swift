import RPC
import StatusPage
import Testing

@Suite("The dashboard's files")
struct StatusPageTests {
  private static let peer = Peer(address: "192.0.2.1:1")

  private func get(
    _ path: String, _ fields: KeyValuePairs<String, String> = [:]
  ) async -> HTTPResponse {
    await StatusPage().respond(
      to: HTTPRequest(method: "GET", path: path, fields: HeaderFields(fields)), peer: Self.peer)
  }

  private func text(_ path: String) async -> String {
    String(decoding: await get(path).body, as: UTF8.self)
  }

  @Test("Every file is there, with its type", arguments: StatusPage.paths)
  func files(path: String) async throws {
    let response = await get(path)
    #expect(response.status == 200 && !response.body.isEmpty)
    let type = try #require(response.fields.first("content-type"))
    let expected =
      path.hasSuffix(".js")
      ? "text/javascript"
      : path.hasSuffix(".css") ? "text/css" : path.hasSuffix(".svg") ? "image/svg+xml" : "text/html"
    #expect(type.hasPrefix(expected))
    #expect(response.fields.first("x-content-type-options") == "nosniff")
  }

  @Test("Everything that a file refers to is a file of the dashboard")
  func references() async throws {
    for path in StatusPage.paths where !path.hasSuffix(".svg") && !path.hasSuffix(".css") {
      let text = await text(path)
      for found in text.matches(of: /(?:src|href)="(\/[^"#]*)"|from "(\/[^"]*)"/) {
        let reference = String(found.output.1 ?? found.output.2 ?? "")
        #expect(StatusPage.paths.contains(reference), "\(path) refers to \(reference)")
      }
    }
  }

  @Test("A page has no script and no style of its own, and takes none from elsewhere")
  func inline() async {
    for path in StatusPage.paths {
      let text = await text(path)
      if path.hasSuffix(".js") {
        // Hostile words become text because there is no way in the files to make them anything else.
        for way in [
          "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
        ] {
          #expect(!text.contains(way), "\(path) has \(way)")
        }
      } else {
        #expect(!text.contains(/<script(?![^>]*\bsrc=)/), "\(path)")
        #expect(!text.contains(/\bstyle=|<style|\bon[a-z]+=/), "\(path)")
      }
      if !path.hasSuffix(".svg") {
        #expect(!text.contains(/(?:src|href)="https?:|@import|url\(/), "\(path)")
      }
    }
  }

  @Test("A browser is told to run nothing but the files, and to show them in no other page")
  func policy() async throws {
    for path in ["/", "/login", "/dashboard/app.js", "/missing"] {
      let fields = await get(path).fields
      let policy = try #require(fields.first("content-security-policy"))
      let rules = policy.split(separator: ";").map { $0.drop { $0 == " " } }
      for rule in [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'",
      ] {
        #expect(rules.contains(Substring(rule)), "\(rule)")
      }
      #expect(!policy.contains("unsafe"))
      #expect(fields.first("referrer-policy") == "no-referrer")
      #expect(fields.first("cross-origin-opener-policy") == "same-origin")
      #expect(fields.first("set-cookie") == nil)
    }
  }

  @Test("A file that the browser has already is not sent again, and another one is")
  func revalidation() async throws {
    let response = await get("/")
    #expect(response.fields.first("cache-control") == "no-cache")
    let tag = try #require(response.fields.first("etag"))
    for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
      let again = await get("/", ["if-none-match": known])
      #expect(again.status == 304 && again.body.isEmpty, "\(known)")
    }
    #expect(await get("/", ["if-none-match": "\"x\""]).status == 200)
    #expect(await get("/login", ["if-none-match": tag]).status == 200)
  }

  @Test(
    "What is no file is not found, whatever the path looks like",
    arguments: [
      "/missing", "/index.html", "/dashboard/", "/dashboard/../login", "//", "/%6cogin", "",
    ])
  func missing(path: String) async {
    let response = await get(path)
    #expect(response.status == 404)
    #expect(!String(decoding: response.body, as: UTF8.self).contains(path) || path.count < 3)
  }

  @Test("A query changes nothing: what stands there is not read")
  func query() async {
    #expect(await get("/login?code=x").body == get("/login").body)
  }
}
