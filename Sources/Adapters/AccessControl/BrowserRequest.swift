internal import RPC

/// What the head of a request says of the browser that has sent it.
///
/// A browser shows its cookie with whatever a page makes it send. So the cookie counts only where the request comes from
/// a page of omnid itself, which the browser says and no page can make it say otherwise.
struct BrowserRequest {
  /// The secrets of the session's cookie. A browser shows one at most.
  private(set) var secrets: [String] = []
  private var site: String?
  private var origin: String?
  private var authority: String?

  init(_ fields: HeaderFields, cookie: SessionCookie) {
    for i in 0..<fields.count {
      switch fields.name(i) {
      // HTTP/2 may cut a cookie field into several (RFC 9113 section 8.2.3).
      case "cookie": secrets += Self.secrets(fields.value(i), of: cookie)
      case "sec-fetch-site": site = fields.value(i)
      case "origin": origin = fields.value(i)
      case ":authority": authority = fields.value(i)
      case "host" where authority == nil: authority = fields.value(i)
      default: break
      }
    }
  }

  private static func secrets(_ field: String, of cookie: SessionCookie) -> [String] {
    field.split(separator: ";").compactMap { pair in
      let pair = pair.drop { $0 == " " }
      let name = cookie.name + "="
      return pair.hasPrefix(name) ? String(pair.dropFirst(name.count)) : nil
    }
  }

  /// Whether the request comes from a page of omnid itself: `Sec-Fetch-Site` (Fetch Metadata) says so, or for a browser
  /// that does not send it the `Origin` (RFC 6454).
  var isSameOrigin: Bool {
    if let site { return site == "same-origin" }
    guard let origin, let authority else { return false }
    return origin == "https://" + authority
  }
}
