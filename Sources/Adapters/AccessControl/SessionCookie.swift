public import RPC

/// The cookie by which a browser's session is known.
public struct SessionCookie: Sendable {
  /// A browser takes a cookie of such a name from the host itself alone, over TLS, for all its paths (RFC 6265bis
  /// section 4.1.3.2). Cookies know no ports: the name says of which server on the host it is.
  let name: String

  /// - Parameter server: what tells this server from others on the same host name and stays the same; the first eight
  ///   characters of it stand in the name. A fingerprint in hexadecimal.
  public init(server: String) { name = "__Host-omnid-session-\(server.prefix(8))" }

  /// What a response sets the cookie by.
  ///
  /// - Parameter seconds: how long the browser keeps it.
  public func setting(_ secret: String, seconds: Int64) -> Metadata {
    Metadata([
      "set-cookie":
        "\(name)=\(secret); Max-Age=\(max(0, seconds)); Path=/; Secure; HttpOnly; SameSite=Strict"
    ])
  }

  /// Whether the call comes from a page of omnid itself, or from a program that says so.
  public func isFromOwnPage(_ call: ServerCall) -> Bool {
    BrowserRequest(call.fields, cookie: self).isSameOrigin
  }
}
