/// The methods a server serves, and the HTTP service that dispatches gRPC requests to them.
///
/// A value: register everything, then give it to a server or an `InProcessChannel`.
public struct ServiceRouter: Sendable {
  public var limits = CallLimits()
  private var routes = RouteTable()
  private var chain = InterceptorChain()
  private var fallback: (any MethodHandler)?
  /// The services that have at least one method, in the order of registration.
  public private(set) var services: [String] = []

  public init(interceptors: [any ServerInterceptor] = []) {
    chain.interceptors = interceptors
  }

  /// Serves a unary method.
  public mutating func handle<I: Sendable, O: Sendable>(
    _ method: Method<I, O>, _ body: @escaping @Sendable (I, ServerCall) async throws -> O
  ) {
    precondition(method.kind == .unary, "\(method.path) is not unary")
    add(UnaryHandler(method: method, chain: chain, body: body), service: method.service)
  }

  /// Serves a method that answers with a stream.
  public mutating func handle<I: Sendable, O: Sendable>(
    _ method: Method<I, O>,
    _ body: @escaping @Sendable (I, ResponseWriter<O>, ServerCall) async throws -> Void
  ) {
    precondition(method.kind == .serverStreaming, "\(method.path) is not server streaming")
    add(ServerStreamingHandler(method: method, chain: chain, body: body), service: method.service)
  }

  /// Serves a method that takes a stream and answers with one message.
  public mutating func handle<I: Sendable, O: Sendable>(
    _ method: Method<I, O>,
    _ body: @escaping @Sendable (RequestStream<I>, ServerCall) async throws -> O
  ) {
    precondition(method.kind == .clientStreaming, "\(method.path) is not client streaming")
    add(
      StreamingHandler(method: method, chain: chain) { requests, writer, call in
        try await writer.write(try await body(requests, call))
      }, service: method.service)
  }

  /// Serves a method that streams both ways.
  public mutating func handle<I: Sendable, O: Sendable>(
    _ method: Method<I, O>,
    _ body:
      @escaping @Sendable (RequestStream<I>, ResponseWriter<O>, ServerCall) async throws -> Void
  ) {
    precondition(method.kind == .bidirectionalStreaming, "\(method.path) is not bidirectional")
    add(StreamingHandler(method: method, chain: chain, body: body), service: method.service)
  }

  /// Serves every method that is not registered, as streams of bytes: what a proxy does.
  ///
  /// The handler learns the method from `call.path`.
  public mutating func handleUnknown(
    _ body:
      @escaping @Sendable (RequestStream<[UInt8]>, ResponseWriter<[UInt8]>, ServerCall) async throws
      -> Void
  ) {
    let method = Method<[UInt8], [UInt8]>(
      service: "", name: "", kind: .bidirectionalStreaming, request: .bytes, response: .bytes)
    fallback = StreamingHandler(method: method, chain: chain, body: body)
  }

  private mutating func add(_ handler: any MethodHandler, service: String) {
    if !services.contains(service) { services.append(service) }
    routes.insert(handler)
  }
}

extension ServiceRouter: HTTPService {
  public func accept(
    _ head: HTTPRequestHead, on stream: any HTTPServerStream
  ) -> (any HTTPRequestReceiver)? {
    let fields = head.fields
    guard fields.valueEquals(head.methodField, "POST") else {
      return Self.refuse(stream, status: "405", extra: ("allow", "POST"))
    }
    var timeout: Duration?
    var isGRPC = false
    var encoding: String?
    for i in 0..<fields.count {
      if fields.nameEquals(i, "content-type") {
        isGRPC =
          fields.valueEquals(i, "application/grpc")
          || fields.valueHasPrefix(i, "application/grpc+proto")
          || fields.valueHasPrefix(i, "application/grpc;")
      } else if fields.nameEquals(i, "grpc-timeout") {
        guard let parsed = GRPCTimeout.parse(fields.bytes[fields.valueRange(i)]) else {
          return Self.refuse(stream, RPCError(.internalError, "malformed grpc-timeout"))
        }
        timeout = parsed
      } else if fields.nameEquals(i, "grpc-encoding"), !fields.valueEquals(i, "identity") {
        encoding = fields.value(i)
      }
    }
    guard isGRPC else { return Self.refuse(stream, status: "415", extra: nil) }
    if let encoding {
      return Self.refuse(
        stream,
        RPCError(
          .unimplemented, "grpc-encoding \(encoding.prefix(64)) is not supported",
          metadata: Metadata()), acceptEncoding: "identity")
    }
    guard let handler = routes.find(fields, head.pathField) ?? fallback else {
      let path = fields.value(head.pathField)
      return Self.refuse(
        stream, RPCError(.unimplemented, "no such method here: \(path.prefix(256))"))
    }
    let call = ServerCall(
      stream: stream, handler: handler, head: head, timeout: timeout, limits: limits)
    if handler.kind.clientStreams { handler.start(call) }
    if head.isComplete { call.receivedEnd() }
    return call
  }

  private static func refuse(
    _ stream: any HTTPServerStream, status: String, extra: (String, String)?
  ) -> (any HTTPRequestReceiver)? {
    var fields = HeaderFields([":status": status])
    if let extra { fields.append(extra.0, extra.1) }
    stream.respond(.fields(fields), body: [], trailers: .none)
    return nil
  }

  private static func refuse(
    _ stream: any HTTPServerStream, _ error: RPCError, acceptEncoding: String? = nil
  ) -> (any HTTPRequestReceiver)? {
    var fields = HeaderFields([":status": "200", "content-type": "application/grpc"])
    if let acceptEncoding { fields.append("grpc-accept-encoding", acceptEncoding) }
    WireStatus.append(error, trailing: Metadata(), to: &fields)
    stream.respond(.fields(fields), body: [], trailers: .none)
    return nil
  }
}
