internal import HTTP2Codes

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
    let exchange = HTTPExchange(stream: stream, head: head, handler: handler, limit: bodyLimit)
    if head.isComplete { exchange.receivedEnd() }
    return exchange
  }
}

/// Collects one request's body and runs the handler.
private final class HTTPExchange: HTTPRequestReceiver, @unchecked Sendable {
  // @unchecked: confined to the stream's executor.
  private let stream: any HTTPServerStream
  private let handler: any HTTPHandler
  private let limit: Int
  private var request: HTTPRequest
  private var task: Task<Void, Never>?
  private var isOver = false

  init(
    stream: any HTTPServerStream, head: HTTPRequestHead, handler: any HTTPHandler, limit: Int
  ) {
    self.stream = stream
    self.handler = handler
    self.limit = limit
    var fields = HeaderFields()
    for i in 0..<head.fields.count where !head.fields.name(i).hasPrefix(":") {
      fields.append(head.fields.name(i), head.fields.value(i))
    }
    request = HTTPRequest(method: head.method, path: head.path, fields: fields)
  }

  func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
    stream.release(data.count)
    if isOver { return }
    if request.body.count + data.count > limit {
      isOver = true
      letGo()
      return stream.respond(
        .fields(HeaderFields([":status": "413"])), body: [], trailers: .none)
    }
    data.withUnsafeBufferPointer { request.body.append(contentsOf: $0) }
    guard stream.holds(data.count) else {
      isOver = true
      letGo()
      return stream.respond(
        .fields(HeaderFields([":status": "503"])), body: [], trailers: .none)
    }
    if isLast { receivedEnd() }
  }

  func receivedEnd() {
    if isOver { return }
    let started = Task.immediate(executorPreference: stream.executor) {
      let response = await self.handler.respond(to: self.request, peer: self.stream.peer)
      // Where the handler has left the task is not for sure.
      self.stream.executor.run { self.answer(response) }
    }
    if !isOver { task = started }
  }

  private func answer(_ response: HTTPResponse) {
    if isOver { return }
    isOver = true
    task = nil
    letGo()
    var fields = HeaderFields([":status": String(response.status)])
    for i in 0..<response.fields.count {
      fields.append(response.fields.name(i), response.fields.value(i))
    }
    fields.append("content-length", String(response.body.count))
    stream.respond(.fields(fields), body: response.body, trailers: .none)
  }

  /// The body is kept no longer.
  private func letGo() {
    _ = stream.holds(-request.body.count)
    request.body = []
  }

  func streamWritable() {}

  func streamClosed(errorCode: HTTP2ErrorCode?) {
    if isOver { return }
    isOver = true
    letGo()
    task?.cancel()
    task = nil
  }
}
