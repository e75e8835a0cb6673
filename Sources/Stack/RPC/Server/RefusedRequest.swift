internal import HTTP2Codes

/// A request that is answered without being looked at, but not before it has ended: a client that is
/// still sending would have to be stopped with RST_STREAM, and plain HTTP clients take that for a
/// failure.
///
/// The body is thrown away as it comes, so nothing is kept. It may be as long as the limit and take
/// as long as the patience; then the answer goes out although the client is not done.
final class RefusedRequest: HTTPRequestReceiver, @unchecked Sendable {
  // @unchecked: confined to the stream's executor.
  private let stream: any HTTPServerStream
  private var answer: (head: HeaderFields, body: [UInt8])?
  private var discarded = 0
  private var timer: TimerID?

  private static let bodyLimit = 64 << 20
  static let patience = Duration.seconds(5)

  init(_ stream: any HTTPServerStream, head: HeaderFields, body: [UInt8]) {
    self.stream = stream
    answer = (head, body)
    timer = stream.executor.schedule(after: Self.patience) { [weak self] in
      self?.timer = nil
      self?.respond()
    }
  }

  func received(_ data: borrowing Span<UInt8>, isLast: Bool) {
    discarded += data.count
    if isLast || discarded > Self.bodyLimit { respond() }
    stream.release(data.count)
  }

  func receivedEnd() { respond() }

  func streamWritable() {}

  func streamClosed(errorCode: HTTP2ErrorCode?) {
    answer = nil
    stopTimer()
  }

  private func respond() {
    stopTimer()
    guard let (head, body) = answer else { return }
    answer = nil
    stream.respond(.fields(head), body: body, trailers: .none)
  }

  private func stopTimer() {
    if let timer { stream.executor.cancel(timer) }
    timer = nil
  }
}
