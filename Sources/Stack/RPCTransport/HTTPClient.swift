internal import HTTP2Codes
public import RPC
internal import Synchronization

/// Plain HTTP/2 requests over a channel, such as to a Kubernetes API server.
public struct HTTPClient: Sendable {
  private let channel: any ClientChannel

  public init(_ channel: any ClientChannel) { self.channel = channel }

  /// Sends a request and collects the response.
  ///
  /// - Parameter bodyLimit: the largest response body taken, in bytes.
  /// - Throws: `unavailable` without a connection, `deadlineExceeded`, `resourceExhausted` for a
  ///   body over the limit. An HTTP status is an answer, not an error.
  public func send(
    _ request: HTTPRequest, timeout: Duration, bodyLimit: Int = 32 << 20
  ) async throws(RPCError) -> HTTPResponse {
    let collector = ResponseCollector(limit: bodyLimit)
    let timer = Task {
      guard (try? await Task.sleep(for: timeout)) != nil else { return }
      collector.fail(RPCError(.deadlineExceeded, "no answer within \(timeout)"))
    }
    defer { timer.cancel() }
    var fields = request.fields
    if !request.body.isEmpty { fields.append("content-length", String(request.body.count)) }
    let opening = Task { [fields] () -> Result<any HTTPClientStream, RPCError> in
      do throws(RPCError) {
        return .success(
          try await channel.open(
            method: request.method, path: request.path, fields: fields,
            isLast: request.body.isEmpty, waitForReady: false, receiver: collector))
      } catch {
        collector.fail(error)
        return .failure(error)
      }
    }
    let sending = Task {
      if case .success(let stream) = await opening.value {
        collector.opened(stream)
        if !request.body.isEmpty { stream.send(request.body, isLast: true) }
      }
    }
    defer { sending.cancel() }
    return try await withTaskCancellationHandler {
      await collector.outcome()
    } onCancel: {
      collector.fail(RPCError(.cancelled, "the request was cancelled"))
    }.get()
  }
}

private final class ResponseCollector: HTTPResponseReceiver {
  private struct State {
    var stream: (any HTTPClientStream)?
    var response = HTTPResponse(status: 0)
    var outcome: Result<HTTPResponse, RPCError>?
    var waiter: CheckedContinuation<Result<HTTPResponse, RPCError>, Never>?
  }

  private let state = Mutex(State())
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  func opened(_ stream: any HTTPClientStream) {
    let isOver = state.withLock { state in
      state.stream = stream
      return state.outcome != nil
    }
    if isOver { stream.reset(.cancel) }
  }

  func outcome() async -> Result<HTTPResponse, RPCError> {
    await withCheckedContinuation { continuation in
      let outcome = state.withLock { state in
        if state.outcome == nil { state.waiter = continuation }
        return state.outcome
      }
      if let outcome { continuation.resume(returning: outcome) }
    }
  }

  func fail(_ error: RPCError) {
    finish(.failure(error))
    state.withLock { $0.stream }?.reset(.cancel)
  }

  private func finish(_ outcome: Result<HTTPResponse, RPCError>?) {
    typealias Outcome = Result<HTTPResponse, RPCError>
    let (waiter, result) = state.withLock {
      state -> (CheckedContinuation<Outcome, Never>?, Outcome?) in
      if state.outcome != nil { return (nil, nil) }
      state.outcome = outcome ?? .success(state.response)
      defer { state.waiter = nil }
      return (state.waiter, state.outcome)
    }
    if let waiter, let result { waiter.resume(returning: result) }
  }

  func receivedHead(_ fields: HeaderFields, isLast: Bool) {
    state.withLock { state in
      state.response.status = fields.first(":status").flatMap { Int($0) } ?? 0
      state.response.fields = fields
    }
    if isLast { finish(nil) }
  }

  func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
    let (stream, isTooLarge) = state.withLock { state in
      if state.response.body.count + data.count > limit { return (state.stream, true) }
      data.withUnsafeBufferPointer { state.response.body.append(contentsOf: $0) }
      return (state.stream, false)
    }
    if isTooLarge {
      return fail(
        RPCError(.resourceExhausted, "the response is larger than \(limit) bytes"))
    }
    stream?.release(data.count)
    if isLast { finish(nil) }
  }

  func receivedTrailers(_ fields: HeaderFields) { finish(nil) }

  func streamWritable() {}

  func streamClosed(_ end: StreamEnd) {
    switch end {
    case .complete: finish(nil)
    case .reset(let code): finish(.failure(RPCError(reset: code)))
    case .connectionLost(let error, _), .failed(let error): finish(.failure(error))
    }
  }
}
