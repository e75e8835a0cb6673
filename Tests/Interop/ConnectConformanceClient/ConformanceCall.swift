import ConnectSupport
import Crypto
import ProtoCodec
import RPC
import RPCTransport
import Schema
import Synchronization
import TestSchemas

/// What keeps a described call from being made at all.
struct Unsupported: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// One call that the suite describes, made over a connection of its own.
struct ConformanceCall: Sendable {
  typealias Methods = Conformance.ConformanceServiceMethods

  let request: Conformance.ClientCompatRequest
  let channel: SocketChannel
  let client: RPCClient
  let canceller: Canceller
  let outcome = Outcome()

  init(_ request: Conformance.ClientCompatRequest) throws {
    self.request = request
    if let service = request.service, service != Methods.service {
      throw Unsupported("no service \(service) here")
    }
    channel = try Self.channel(request)
    client = RPCClient(channel, form: try Self.form(request))
    canceller = Canceller(request.cancel)
  }

  func run() async throws -> Conformance.ClientResponseResult {
    defer { channel.close() }
    do {
      try await canceller.run { try await call() }
    } catch let error as RPCError {
      outcome.end(error)
    } catch is CancellationError {
      outcome.end(RPCError(.cancelled, "the call was cancelled"))
    }
    return outcome.result
  }

  private func call() async throws {
    switch request.method {
    case "Unary":
      try await unary(Methods.unary) { $0.payload }
    case "IdempotentUnary":
      try await unary(Methods.idempotentUnary) { $0.payload }
    case "Unimplemented":
      try await unary(Methods.unimplemented) { _ in nil }
    case "ClientStream": try await clientStream()
    case "ServerStream": try await serverStream()
    case "BidiStream": try await bidiStream()
    default: throw Unsupported("no method \(request.method ?? "") here")
    }
  }

  var options: CallOptions {
    CallOptions(
      timeout: request.timeoutMS.map { .milliseconds(Int64($0)) },
      metadata: Metadata(request.requestHeaders),
      responseMessageBytes: request.messageReceiveLimit > 0
        ? Int(request.messageReceiveLimit) : 4 << 20)
  }

  /// The request messages, which must be of that type.
  func messages<M: Message>(_ type: M.Type) throws -> [M] {
    try request.requestMessages.map { packed in
      guard let message = try packed.unpack(type) else {
        throw Unsupported("a request message of type \(packed.typeURL)")
      }
      return message
    }
  }

  func onlyMessage<M: Message>(_ type: M.Type) throws -> M {
    let all = try messages(type)
    guard all.count == 1 else { throw Unsupported("\(all.count) messages in a unary request") }
    return all[0]
  }

  // MARK: The way to the server

  private static func channel(
    _ request: Conformance.ClientCompatRequest
  ) throws -> SocketChannel {
    let port = Int(request.port)
    if request.serverTLSCert.isEmpty {
      return try SocketChannel(.plaintext(host: request.host, port: port))
    }
    let roots = try Certificate.bundle(pem: String(decoding: request.serverTLSCert, as: UTF8.self))
    let identity = try request.clientTLSCreds.map { credentials in
      try Identity(
        chainPEM: String(decoding: credentials.cert, as: UTF8.self),
        keyPEM: String(decoding: credentials.key, as: UTF8.self))
    }
    let context = try TLSContext(
      TLSConfiguration(role: .client, identity: identity, trustRoots: roots, alpn: ["h2"]))
    return try SocketChannel(.tls(host: request.host, port: port), tls: context)
  }

  private static func form(
    _ request: Conformance.ClientCompatRequest
  ) throws(Unsupported) -> ClientForm {
    let wireProtocol: ClientForm.WireProtocol
    switch request.protocol {
    case .connect: wireProtocol = .connect
    case .grpc: wireProtocol = .grpc
    case .grpcWeb: wireProtocol = .grpcWeb
    default: throw Unsupported("protocol \(request.protocol.rawValue)")
    }
    let format: ClientForm.MessageFormat
    switch request.codec {
    case .proto: format = .proto
    case .json: format = .json
    default: throw Unsupported("codec \(request.codec.rawValue)")
    }
    var compression: ZlibCompression?
    switch request.compression {
    case .identity, .unspecified: break
    case .gzip: compression = .gzip
    case .deflate: compression = .deflate
    default: throw Unsupported("compression \(request.compression.rawValue)")
    }
    return ClientForm(
      wireProtocol, format: format, requestCompression: compression,
      acceptedCompressions: compression.map { [$0] } ?? [], usesGet: request.useGetHTTPMethod)
  }
}

/// What came of the call so far.
final class Outcome: Sendable {
  private let state = Mutex(Conformance.ClientResponseResult())

  var result: Conformance.ClientResponseResult { state.withLock { $0 } }

  func received(_ payload: Conformance.ConformancePayload?) {
    state.withLock { $0.payloads.append(payload ?? Conformance.ConformancePayload()) }
  }

  func metadata(initial: Metadata, trailing: Metadata) {
    state.withLock {
      $0.responseHeaders = initial.headers
      $0.responseTrailers = trailing.headers
    }
  }

  func unsent(_ count: Int) { state.withLock { $0.numUnsentRequests = Int32(count) } }

  func end(_ error: RPCError) {
    state.withLock {
      $0.error = Conformance.Error(error)
      // A streaming call has told of both already.
      if $0.responseTrailers.isEmpty && $0.responseHeaders.isEmpty {
        $0.responseTrailers = error.metadata.headers
      }
    }
  }
}
