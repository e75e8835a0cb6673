internal import HTTP2Codes

/// Collects one request's body and runs the handler.
final class HTTPExchange: HTTPRequestReceiver, @unchecked Sendable {
  // @unchecked: confined to the stream's executor.
  private let stream: any HTTPServerStream
  private let handler: any HTTPHandler
  private let limit: Int
  private var request: HTTPRequest
  private var task: Task<Void, Never>?
  private var timer: TimerID?
  private var hasBegun = false
  private var isOver = false

  /// - Parameters:
  ///   - limit: the largest body taken, in bytes.
  ///   - patience: how long the request may take to end; then it is answered as it is. Nil: as long as it likes.
  static func begin(
    _ head: HTTPRequestHead, _ stream: any HTTPServerStream, _ handler: any HTTPHandler, limit: Int,
    patience: Duration? = nil
  ) -> HTTPExchange {
    let exchange = HTTPExchange(stream: stream, head: head, handler: handler, limit: limit)
    if head.isComplete {
      exchange.receivedEnd()
    } else if let patience {
      exchange.timer = stream.executor.schedule(after: patience) { [weak exchange] in
        exchange?.timer = nil
        exchange?.receivedEnd()
      }
    }
    return exchange
  }

  private init(
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
    if isOver || hasBegun { return }
    hasBegun = true
    stopTimer()
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
    // A status that has no body says no length of one: a 304's would be that of the 200 (RFC 9110 section 8.6).
    if response.status >= 200, response.status != 204, response.status != 304 {
      fields.append("content-length", String(response.body.count))
    }
    // The fields are those of GET, the body is not (RFC 9110 section 9.3.2).
    let body = request.method == "HEAD" ? [] : response.body
    stream.respond(.fields(fields), body: body, trailers: .none)
  }

  private func stopTimer() {
    if let timer { stream.executor.cancel(timer) }
    timer = nil
  }

  /// The body is kept no longer.
  private func letGo() {
    stopTimer()
    _ = stream.holds(-request.body.count)
    request.body = []
  }

  var awaitsRequest: Bool { !isOver && !hasBegun }

  func requestStalled() {
    guard awaitsRequest else { return }
    isOver = true
    letGo()
    // RFC 9110 section 15.5.9.
    stream.respond(.fields(HeaderFields([":status": "408"])), body: [], trailers: .none)
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
