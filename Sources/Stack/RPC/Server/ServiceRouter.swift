/// The methods a server serves, and the HTTP service that dispatches gRPC requests to them.
///
/// A value: register everything, then give it to a server or an `InProcessChannel`.
public struct ServiceRouter: Sendable {
  public var limits = CallLimits() { didSet { edition = RouterEdition() } }
  /// Which web pages may call.
  public var cors = CORSPolicy() { didSet { edition = RouterEdition() } }
  /// Asked for each call of a method that is served, before anything of its request is kept: the error that refuses
  /// it, or nil. Must not block. Interceptors come later, when the request is there.
  public var admission: (@Sendable (Peer, HTTPRequestHead) -> RPCError?)?
  /// Answers GET and HEAD for the paths that are no method's: pages, metrics. `admission` is not asked for these requests.
  public var resources: (any HTTPHandler)?
  /// What messages may be compressed with, in order of preference.
  public let compressions: [any MessageCompression]
  var routes = RouteTable()
  /// Counts the requests of methods that are not served.
  let unknownTally = CallTally(path: "", kind: .unary)
  /// One for each method in the order of registration, and one for what is no method, whose path is empty.
  public private(set) var tallies: [CallTally]
  private let interceptors: InterceptorChain
  /// Stands for the methods as they are registered now.
  private(set) var edition = RouterEdition()
  private(set) var fallback: (any MethodHandler)?
  /// The services that have at least one method, in the order of registration.
  public private(set) var services: [String] = []

  public init(
    interceptors: [any ServerInterceptor] = [], compressions: [any MessageCompression] = []
  ) {
    self.compressions = compressions
    self.interceptors = InterceptorChain(interceptors)
    tallies = [unknownTally]
  }

  /// Serves a unary method.
  public mutating func handle<I: Sendable, O: Sendable>(
    _ method: Method<I, O>, _ body: @escaping @Sendable (I, ServerCall) async throws -> O
  ) {
    precondition(method.kind == .unary, "\(method.path) is not unary")
    add(
      UnaryHandler(method: method, chain: interceptors.around(method.path), body: body),
      service: method.service)
  }

  /// Serves a unary method whose answers are encoded already, so that many may be given the same one.
  public mutating func handleEncoded<I: Sendable, O: Sendable>(
    _ method: Method<I, O>,
    _ body: @escaping @Sendable (I, ServerCall) async throws -> EncodedMessage<O>
  ) {
    precondition(method.kind == .unary, "\(method.path) is not unary")
    add(
      UnaryHandler(method: method, chain: interceptors.around(method.path), encoded: body),
      service: method.service)
  }

  /// Serves a method that answers with a stream.
  public mutating func handle<I: Sendable, O: Sendable>(
    _ method: Method<I, O>,
    _ body: @escaping @Sendable (I, ResponseWriter<O>, ServerCall) async throws -> Void
  ) {
    precondition(method.kind == .serverStreaming, "\(method.path) is not server streaming")
    add(
      ServerStreamingHandler(method: method, chain: interceptors.around(method.path), body: body),
      service: method.service)
  }

  /// Serves a method that takes a stream and answers with one message.
  public mutating func handle<I: Sendable, O: Sendable>(
    _ method: Method<I, O>,
    _ body: @escaping @Sendable (RequestStream<I>, ServerCall) async throws -> O
  ) {
    precondition(method.kind == .clientStreaming, "\(method.path) is not client streaming")
    add(
      StreamingHandler(method: method, chain: interceptors.around(method.path)) {
        requests, writer, call in
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
    add(
      StreamingHandler(method: method, chain: interceptors.around(method.path), body: body),
      service: method.service)
  }

  /// Sets what a registered method allows its callers; what was set before is replaced. Methods
  /// without limits of their own cost nothing more for it.
  public mutating func limit<I: Sendable, O: Sendable>(
    _ method: Method<I, O>, _ limits: MethodLimits
  ) {
    guard let handler = routes.handler(path: method.path) else {
      preconditionFailure("\(method.path) is not served: register it before its limits")
    }
    precondition(limits.concurrentCalls.map { $0 > 0 } ?? true, "a method takes one call at least")
    routes.insert(LimitedHandler(handler.unlimited, limits))
    edition = RouterEdition()
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
    fallback = StreamingHandler(method: method, chain: interceptors, body: body)
    edition = RouterEdition()
  }

  private mutating func add(_ handler: any MethodHandler, service: String) {
    if !services.contains(service) { services.append(service) }
    tallies.removeAll { $0.path == handler.path }
    tallies.append(handler.tally)
    routes.insert(handler)
    edition = RouterEdition()
  }
}
