public import HTTP2Codes

/// The seam between calls and transports: one HTTP exchange, seen from each side.
///
/// A transport (sockets with HTTP/2, or in-process) implements the streams; the RPC layer, or any
/// other HTTP service, implements the receivers. Ordering on a receiver: head, data…, end, closed;
/// `streamClosed` comes once, and nothing after it; on a server it need not come once the response was
/// given whole.

/// The head of a request. The fields hold the pseudo-header fields too.
///
/// Requests with the same head, byte for byte, may share one object.
public final class HTTPRequestHead: @unchecked Sendable {
  // @unchecked: `resolved` is touched on the executor of the streams that share the head.
  public let fields: HeaderFields
  package let methodField: Int
  package let pathField: Int
  /// The request has no body.
  public let isComplete: Bool
  /// What a router has made of the head, for the next request with the same one.
  var resolved: ResolvedCall?

  package init(fields: HeaderFields, methodField: Int, pathField: Int, isComplete: Bool) {
    self.fields = fields
    self.methodField = methodField
    self.pathField = pathField
    self.isComplete = isComplete
  }

  public var method: String { fields.value(methodField) }
  public var path: String { fields.value(pathField) }
}

/// The head of a response; `:status` is the first field.
public enum ResponseHead: Sendable {
  /// 200 with `content-type: application/grpc`: what nearly every gRPC response starts with.
  case grpc
  case fields(HeaderFields)

  var listBytes: Int { if case .fields(let fields) = self { fields.listBytes } else { 0 } }
}

/// What ends a response.
public enum ResponseTrailers: Sendable {
  /// `grpc-status: 0` and nothing else.
  case grpcOK
  case fields(HeaderFields)
  /// No trailers: the body's end is the end.
  case none

  var listBytes: Int { if case .fields(let fields) = self { fields.listBytes } else { 0 } }
}

/// The server's end of one HTTP exchange. Confined to its executor: call it there only.
public protocol HTTPServerStream: AnyObject {
  /// Runs the handlers of the calls on the stream's executor.
  var handlers: HandlerPool { get }
  /// Whether the caller runs on the executor now.
  var isOnExecutor: Bool { get }
  var peer: Peer { get }
  /// The whole answer at once.
  func respond(_ head: ResponseHead, body: consuming [UInt8], trailers: ResponseTrailers)
  func sendHead(_ head: ResponseHead)
  func sendData(_ bytes: consuming [UInt8])
  /// The same, for a writer that appends the bytes to those that wait already.
  func sendData(_ write: (inout [UInt8]) throws -> Void) rethrows
  func finish(_ trailers: ResponseTrailers)
  /// Ends the stream with RST_STREAM of that code.
  func reset(_ errorCode: HTTP2ErrorCode)
  /// Bytes accepted for sending that the peer has not yet taken.
  var bufferedBytes: Int { get }
  /// Whether so much waits on the whole connection that what can wait should. The receiver's `streamWritable` is
  /// then called once there is room again.
  func waitsForRoom() -> Bool
  /// The largest header block that can be sent, in bytes by RFC 9113 section 6.5.2.
  var headLimit: Int { get }
  /// Returns flow-control credit for request bytes that were taken in.
  func release(_ bytes: Int)
  /// Tells by how much the request bytes that are kept in memory for this exchange have changed.
  /// False when the connection or the server keeps too many: the request must be refused.
  func holds(_ change: Int) -> Bool
}

/// What receives a request on the server, on the stream's executor.
public protocol HTTPRequestReceiver: AnyObject {
  /// A piece of the body; `isLast` when the request ends with it.
  func received(_ data: borrowing Span<UInt8>, isLast: Bool)
  /// The request ended without further data.
  func receivedEnd()
  /// The send buffer has run low after it had been high.
  func streamWritable()
  /// The exchange is over; `errorCode` is that of RST_STREAM, nil when it ended properly.
  func streamClosed(errorCode: HTTP2ErrorCode?)
  /// Whether it is a call of a method that was let in, and not a page, a refusal or the like, which
  /// strangers get too.
  var isCall: Bool { get }
  /// Whether the request has to be whole before anything is done with it, and is not.
  var awaitsRequest: Bool { get }
  /// No byte of the request has come for too long while `awaitsRequest`.
  func requestStalled()
}

extension HTTPRequestReceiver {
  public var isCall: Bool { false }
  public var awaitsRequest: Bool { false }
  public func requestStalled() {}
}

extension HTTPServerStream {
  public var headLimit: Int { .max }
  public func waitsForRoom() -> Bool { false }
  var executor: any CallExecutor { handlers.executor }
}

/// Something that answers HTTP requests.
public protocol HTTPService: Sendable {
  /// Takes a request. Called on the stream's executor; nil when the answer has already been given
  /// and the body is of no interest.
  func accept(
    _ head: HTTPRequestHead, on stream: any HTTPServerStream
  )
    -> (any HTTPRequestReceiver)?
}

/// The client's end of one HTTP exchange. May be called from anywhere.
public protocol HTTPClientStream: AnyObject, Sendable {
  func send(_ bytes: [UInt8], isLast: Bool)
  func reset(_ errorCode: HTTP2ErrorCode)
  func release(_ bytes: Int)
  /// Bytes given to `send` that have not left yet.
  var queuedBytes: Int { get }
}

/// What receives a response on the client. Called from the transport, one call at a time.
public protocol HTTPResponseReceiver: AnyObject, Sendable {
  /// There is no connection yet, for that reason; the channel goes on trying (wait-for-ready).
  func stillWaiting(_ reason: RPCError)
  /// The response's head (informational ones are left out); `:status` is among the fields.
  func receivedHead(_ fields: HeaderFields, isLast: Bool)
  func received(_ data: borrowing Span<UInt8>, isLast: Bool)
  func receivedTrailers(_ fields: HeaderFields)
  func streamWritable()
  func streamClosed(_ end: StreamEnd)
}

extension HTTPResponseReceiver {
  public func stillWaiting(_ reason: RPCError) {}
}

/// How an exchange ended for a client.
public enum StreamEnd: Sendable, Equatable {
  case complete
  case reset(HTTP2ErrorCode)
  /// The connection is gone, with the error that the call ends with; `processed` is false when the
  /// server certainly did not see the request (RFC 9113 section 8.7), so that it may be sent again.
  case connectionLost(RPCError, processed: Bool)
  /// This end cannot take the answer. The server may have worked on the request.
  case failed(RPCError)
}

/// A way to a server: a connection, a pool of them, or the same process.
public protocol ClientChannel: Sendable {
  /// Opens a stream and sends the request head; connects first where that is needed.
  ///
  /// - Parameter path: the `:path`.
  /// - Parameter fields: further fields, pseudo-header fields excluded.
  /// - Throws: `unavailable` when there is no connection to be had; `resourceExhausted` when the head is
  ///   larger than the server takes.
  func open(
    method: String, path: String, fields: HeaderFields, isLast: Bool, waitForReady: Bool,
    receiver: any HTTPResponseReceiver
  ) async throws(RPCError) -> any HTTPClientStream
}
