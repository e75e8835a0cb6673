import HTTP2Codes

@testable import RPC

/// A stream on an event loop that keeps what is sent on it.
final class RecordingStream: HTTPServerStream, @unchecked Sendable {
  let handlers: HandlerPool
  let peer = Peer(address: "test")
  var receiver: (any HTTPRequestReceiver)?
  /// What happens when the call answers.
  var onAnswer: () -> Void = {}
  private(set) var answers = 0
  /// How often anything was sent of a stream, its end included.
  private(set) var sent = 0
  /// Lent until the handler has begun, so it stays where it is.
  private let message: [UInt8]

  init(_ handlers: HandlerPool, _ message: UInt8) {
    self.handlers = handlers
    self.message = [0, 0, 0, 0, 1, message]
  }

  var isOnExecutor: Bool { handlers.executor.isCurrent }
  var bufferedBytes: Int { 0 }
  func respond(_ head: ResponseHead, body: consuming [UInt8], trailers: ResponseTrailers) {
    answers += 1
    receiver = nil
  }
  func sendHead(_ head: ResponseHead) {}
  func sendData(_ bytes: consuming [UInt8]) {
    sent += 1
    onAnswer()
  }
  func sendData(_ write: (inout [UInt8]) throws -> Void) rethrows {
    sent += 1
    onAnswer()
  }
  func finish(_ trailers: ResponseTrailers) {
    sent += 1
    onAnswer()
    receiver = nil
  }
  func reset(_ errorCode: HTTP2ErrorCode) {}
  func release(_ bytes: Int) {}
  func holds(_ change: Int) -> Bool { true }

  /// The whole request of a call comes in.
  func call(_ method: RPC.Method<[UInt8], [UInt8]>, _ router: ServiceRouter) {
    let fields = HeaderFields([
      ":method": "POST", ":path": method.path, "content-type": "application/grpc",
    ])
    receiver = router.accept(
      HTTPRequestHead(fields: fields, methodField: 0, pathField: 1, isComplete: false), on: self)
    let message = message
    receiver?.received(message.span, isLast: true)
  }

  func close() {
    let receiver = receiver
    self.receiver = nil
    receiver?.streamClosed(errorCode: .cancel)
  }
}
