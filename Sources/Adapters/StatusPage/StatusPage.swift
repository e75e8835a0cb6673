public import RPC

/// Serves the files of the dashboard: HTML, CSS and JavaScript that are part of the program.
///
/// The files hold nothing that is not public. What they show comes from the RPC service, by calls that show the cookie
/// of a session. Nothing in them comes from a request, and their Content-Security-Policy lets a browser run no script
/// but theirs.
public struct StatusPage: HTTPHandler {
  private static let files: [String: PageFile] = Dictionary(
    uniqueKeysWithValues: PageFile.all.map { ($0.path, $0) })

  public init() {}

  /// The paths at which there is a file.
  public static var paths: [String] { PageFile.all.map(\.path) }

  public func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse {
    let path = String(request.path.prefix { $0 != "?" })
    guard let file = Self.files[path] else { return Self.notFound }
    var fields = Self.guarding
    fields.append("etag", file.entityTag)
    // Asked for anew each time, so that the files of two releases never meet.
    fields.append("cache-control", "no-cache")
    if let known = request.fields.first("if-none-match"), Self.names(known, file.entityTag) {
      return HTTPResponse(status: 304, fields: fields)
    }
    fields.append("content-type", file.contentType)
    return HTTPResponse(status: 200, fields: fields, body: file.bytes)
  }

  /// Whether the field's list of entity tags holds the tag (RFC 9110 section 13.1.2).
  private static func names(_ field: String, _ tag: String) -> Bool {
    field.split(separator: ",").contains { part in
      let part = part.drop { $0 == " " }
      let strong = part.hasPrefix("W/") ? part.dropFirst(2) : part
      return strong == tag || part == "*"
    }
  }

  private static let notFound: HTTPResponse = {
    var fields = guarding
    fields.append("content-type", "text/plain; charset=utf-8")
    fields.append("cache-control", "no-store")
    return HTTPResponse(
      status: 404, fields: fields,
      body: Array("There is no page here: the dashboard is at /.\n".utf8))
  }()

  /// What a browser is told to keep the page from.
  private static let guarding = HeaderFields([
    "content-security-policy":
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
      + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
      + "require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  ])
}
