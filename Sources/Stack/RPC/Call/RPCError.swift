package import HTTP2Codes

/// A call that did not end with OK, as the caller sees it and as a handler throws it.
///
/// The message is for people and says what to do next; it never holds key material. `details`
/// are the `google.protobuf.Any` entries of `google.rpc.Status`, carried in
/// `grpc-status-details-bin`.
public struct RPCError: Error, Sendable, Equatable, CustomStringConvertible {
  public var code: StatusCode
  public var message: String
  public var details: [StatusDetail]
  /// Trailing metadata that goes, or came, with the status.
  public var metadata: Metadata
  /// How the call's connection ended, or why there was none, if that is why the call failed. Only the
  /// transport sets it: a status that a peer has sent has no cause.
  public var cause: ConnectionEnd?

  public init(
    _ code: StatusCode, _ message: String, details: [StatusDetail] = [],
    metadata: Metadata = Metadata(), cause: ConnectionEnd? = nil
  ) {
    self.code = code
    self.message = message
    self.details = details
    self.metadata = metadata
    self.cause = cause
  }

  public var description: String { message.isEmpty ? code.name : "\(code.name): \(message)" }

  /// What a client makes of a stream that its server has ended by RST_STREAM.
  package init(reset errorCode: HTTP2ErrorCode) {
    self.init(StatusCode(errorCode), "the server reset the stream (HTTP/2 error \(errorCode))")
  }

  /// What a caller is told of an error that the handler did not express as an `RPCError`.
  ///
  /// Only cancellation is passed on; the text of any other error could hold anything.
  package init(handlerError error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case is CancellationError: self.init(.cancelled, "the call was cancelled")
    default: self.init(.unknown, "the handler failed")
    }
  }
}

/// One detail of a status: a serialized message and the type URL that names it.
public struct StatusDetail: Sendable, Equatable {
  public var typeURL: String
  public var value: [UInt8]

  public init(typeURL: String, value: [UInt8]) {
    self.typeURL = typeURL
    self.value = value
  }
}
