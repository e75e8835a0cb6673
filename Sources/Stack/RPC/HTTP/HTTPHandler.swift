/// A plain HTTP request with its whole body.
public struct HTTPRequest: Sendable {
  public var method: String
  /// The path with the query, as in `:path`.
  public var path: String
  /// Fields other than the pseudo-header fields, names in lower case.
  public var fields: HeaderFields
  public var body: [UInt8]

  public init(
    method: String, path: String, fields: HeaderFields = HeaderFields(), body: [UInt8] = []
  ) {
    self.method = method
    self.path = path
    self.fields = fields
    self.body = body
  }
}

/// A plain HTTP response with its whole body.
public struct HTTPResponse: Sendable {
  public var status: Int
  public var fields: HeaderFields
  public var body: [UInt8]

  public init(status: Int, fields: HeaderFields = HeaderFields(), body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    self.body = body
  }
}

/// Answers plain HTTP requests, beside gRPC on the same listener.
public protocol HTTPHandler: Sendable {
  func respond(to request: HTTPRequest, peer: Peer) async -> HTTPResponse
}

/// Serves gRPC requests by one service and everything else by a plain handler.
public struct HTTPDispatch: HTTPService {
  let grpc: any HTTPService
  let handler: any HTTPHandler
  /// The largest request body taken for the plain handler, in bytes.
  let bodyLimit: Int

  public init(grpc: any HTTPService, handler: any HTTPHandler, bodyLimit: Int = 1 << 20) {
    self.grpc = grpc
    self.handler = handler
    self.bodyLimit = bodyLimit
  }

  public func accept(
    _ head: HTTPRequestHead, on stream: any HTTPServerStream
  ) -> (any HTTPRequestReceiver)? {
    for i in 0..<head.fields.count where head.fields.nameEquals(i, "content-type") {
      if head.fields.valueHasPrefix(i, "application/grpc") {
        return grpc.accept(head, on: stream)
      }
    }
    return HTTPExchange.begin(head, stream, handler, limit: bodyLimit)
  }
}
