/// Which web pages may call (Fetch standard, "CORS protocol"). Off unless origins are named.
public struct CORSPolicy: Sendable {
  /// Origins such as `https://status.example.com`; `*` allows every page.
  public var allowedOrigins: [String]
  /// How long a browser may remember a preflight's answer, in seconds.
  public var maxAgeSeconds: Int
  /// Response metadata that pages may read beside what the protocols need.
  public var exposedFields: [String]

  public init(
    allowedOrigins: [String] = [], maxAgeSeconds: Int = 7200, exposedFields: [String] = []
  ) {
    self.allowedOrigins = allowedOrigins
    self.maxAgeSeconds = maxAgeSeconds
    self.exposedFields = exposedFields
  }

  /// The fields of a response to a page of that origin; nil when it may not call.
  func fields(origin: String) -> HeaderFields? {
    guard allowedOrigins.contains("*") || allowedOrigins.contains(origin) else { return nil }
    var fields = HeaderFields()
    fields.append("access-control-allow-origin", origin)
    fields.append("vary", "origin")
    fields.append(
      "access-control-expose-headers",
      ([
        "grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-encoding",
        "connect-content-encoding", "content-encoding",
      ] + exposedFields).joined(separator: ", "))
    return fields
  }

  /// The fields of the answer to a preflight.
  func preflight(origin: String, requestedHeaders: String?) -> HeaderFields? {
    guard var fields = fields(origin: origin) else { return nil }
    fields.append("access-control-allow-methods", "POST, GET")
    fields.append(
      "access-control-allow-headers",
      requestedHeaders
        ?? "content-type, connect-protocol-version, connect-timeout-ms, grpc-timeout, x-grpc-web, x-user-agent"
    )
    fields.append("access-control-max-age", String(maxAgeSeconds))
    return fields
  }
}
