public import RPC

/// The cookie by which a browser's session is known.
public enum SessionCookie {
  /// A browser takes a cookie of such a name from the host itself alone, over TLS, for all its paths (RFC 6265bis
  /// section 4.1.3.2).
  static let name = "__Host-omnid-session"

  /// What a response sets the cookie by.
  ///
  /// - Parameter seconds: how long the browser keeps it.
  public static func setting(_ secret: String, seconds: Int64) -> Metadata {
    Metadata([
      "set-cookie":
        "\(name)=\(secret); Max-Age=\(max(0, seconds)); Path=/; Secure; HttpOnly; SameSite=Strict"
    ])
  }

  /// Whether the call comes from a page of omnid itself, or from a program that says so.
  public static func isFromOwnPage(_ call: ServerCall) -> Bool {
    BrowserRequest(call.fields).isSameOrigin
  }
}
