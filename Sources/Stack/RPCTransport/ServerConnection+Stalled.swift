internal import HTTP2
internal import RPC

/// Requests that were begun and do not go on.
extension ServerConnection {
  /// After so many looks in a row without a byte a request is ended.
  private static let patience: UInt8 = 5

  /// Looks, while a request is not whole, whether the peer goes on with it.
  func watchRequests() {
    if timers.runs(.request) || isClosed { return }
    timers.start(.request, after: configuration.requestStallTimeout / 4) { [self] in
      timers.stop(.request)
      if !isClosed { lookAtRequests() }
    }
  }

  private func lookAtRequests() {
    var isAnyAwaited = false
    var stalled: [any HTTPRequestReceiver] = []
    session.forEachStream { stream in
      let stream = unsafeDowncast(stream, to: ServerStream.self)
      guard let receiver = stream.receiver, receiver.awaitsRequest else { return }
      isAnyAwaited = true
      stream.silentLooks += 1
      if stream.silentLooks >= Self.patience { stalled.append(receiver) }
    }
    for receiver in stalled {
      let method = (receiver as? ServerCall).map { ": \(String($0.method.prefix(256)))" } ?? ""
      report(.requestUnfinished, "no more of the request has come for too long\(method)")
      receiver.requestStalled()
    }
    handlers.run()
    if isAnyAwaited { watchRequests() }
  }
}
