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
