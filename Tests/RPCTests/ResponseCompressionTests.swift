import RPC
import RPCTransport
import Synchronization
import Testing

/// What a handler decides about the compression of its answers, as the client receives it.
@Suite(.timeLimit(.minutes(1))) struct ResponseCompressionTests {
  /// gzip that counts the messages that came compressed.
  private final class Counted: MessageCompression {
    private let received = Atomic(0)
    var name: String { ZlibCompression.gzip.name }

    func takeCount() -> Int { received.exchange(0, ordering: .relaxed) }
    func compress(_ bytes: [UInt8]) throws -> [UInt8] { try ZlibCompression.gzip.compress(bytes) }
    func decompress(
      _ bytes: borrowing Span<UInt8>, limit: Int
    ) throws(RPCError) -> [UInt8] {
      received.add(1, ordering: .relaxed)
      return try ZlibCompression.gzip.decompress(bytes, limit: limit)
    }
  }

  private static func router() -> ServiceRouter {
    var router = ServiceRouter(compressions: .standard)
    router.handle(Echo.unary) { (request: [UInt8], call) in
      if request.first == 1 { call.compressResponses() }
      if request.count > 1 { await Task.yield() }
      return request
    }
    router.handle(Echo.count) { (request: [UInt8], writer: ResponseWriter<[UInt8]>, call) in
      call.compressResponses()
      try await writer.write(request)
      try await writer.write(request, compresses: false)
    }
    router.handle(Echo.chat) {
      (requests: RequestStream<[UInt8]>, writer: ResponseWriter<[UInt8]>, call) in
      call.compressResponses()
      for try await request in requests { try await writer.write(request) }
    }
    return router
  }

  @Test(
    "A unary handler that asks for it is answered for with a compressed message, and no other is",
    arguments: [Transport.inProcess, .unix],
    [ClientForm.WireProtocol.grpc, .grpcWeb, .connect])
  func unary(
    _ transport: Transport, _ wireProtocol: ClientForm.WireProtocol
  ) async throws {
    let counted = Counted()
    let form = ClientForm(wireProtocol, acceptedCompressions: [counted])
    try await transport.withClient(Self.router(), form: form) { client in
      for request: [UInt8] in [[1], [1, 2], [3], [1], [3, 4]] {
        let answer = try await client.unary(Echo.unary, request)
        #expect(answer == request)
        #expect(counted.takeCount() == (request.first == 1 ? 1 : 0), "\(request)")
      }
    }
  }

  @Test(
    "A client that accepts no compression gets none, whatever the handler asks for",
    arguments: [ClientForm.WireProtocol.grpc, .grpcWeb, .connect])
  func notAccepted(_ wireProtocol: ClientForm.WireProtocol) async throws {
    let client = RPCClient(InProcessChannel(Self.router()), form: ClientForm(wireProtocol))
    let answer = try await client.unary(Echo.unary, [1])
    #expect(answer == [1])
  }

  @Test(
    "Streams compress the messages they are asked to",
    arguments: [Transport.inProcess, .unix], [ClientForm.WireProtocol.grpc, .grpcWeb, .connect])
  func streams(
    _ transport: Transport, _ wireProtocol: ClientForm.WireProtocol
  ) async throws {
    let counted = Counted()
    let form = ClientForm(wireProtocol, acceptedCompressions: [counted])
    try await transport.withClient(Self.router(), form: form) { client in
      let answers = try await client.serverStreaming(Echo.count, [5]) { stream in
        try await stream.reduce(into: []) { $0.append($1) }
      }
      #expect(answers == [[5], [5]])
      #expect(counted.takeCount() == 1)
      let echoes = try await client.bidirectional(Echo.chat) { writer, stream in
        try await writer.write([5])
        try await writer.write([6])
        try await writer.finish()
        return try await stream.reduce(into: []) { $0.append($1) }
      }
      #expect(echoes == [[5], [6]])
      #expect(counted.takeCount() == 2)
    }
  }
}
