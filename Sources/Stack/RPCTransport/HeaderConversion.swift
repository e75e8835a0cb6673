internal import HTTP2
internal import RPC

extension HTTP2.ConstantHeaders {
  /// What nearly every gRPC response begins and ends with.
  static let grpcHead = ConstantHeaders([":status": "200", "content-type": "application/grpc"])
  static let grpcOK = ConstantHeaders(["grpc-status": "0"])
}

extension OutgoingHeaders {
  init(_ fields: HeaderFields) { self = .fields(bytes: fields.bytes, ends: fields.ends) }

  init(_ head: ResponseHead) {
    switch head {
    case .grpc: self = .constant(.grpcHead)
    case .fields(let fields): self.init(fields)
    }
  }

  init?(_ trailers: ResponseTrailers) {
    switch trailers {
    case .grpcOK: self = .constant(.grpcOK)
    case .fields(let fields): self.init(fields)
    case .none: return nil
    }
  }
}

extension HeaderFields {
  init(_ block: HeaderBlock) { self.init(bytes: block.bytes, ends: block.ends) }
}

extension HTTPRequestHead {
  /// The head that a block holds; nil for a request without `:method` or `:path`, such as CONNECT.
  ///
  /// Kept with the block, which equal requests of a connection share.
  static func of(_ block: HeaderBlock, isComplete: Bool) -> HTTPRequestHead? {
    if !isComplete, let known = block.digest {
      return unsafeDowncast(known, to: HTTPRequestHead.self)
    }
    guard block.methodField >= 0, block.pathField >= 0 else { return nil }
    let head = HTTPRequestHead(
      fields: HeaderFields(block), methodField: block.methodField, pathField: block.pathField,
      isComplete: isComplete)
    if !isComplete { block.digest = head }
    return head
  }
}
