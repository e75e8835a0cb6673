import HTTP2Codes
import RPC
import RPCTransport
import Synchronization
import Testing

/// gRPC's answers: what the server's head and trailers hold, and what the client makes of those of
/// other servers.
@Suite(.timeLimit(.minutes(1))) struct GRPCAnswerTests {
  private static let head: ScriptedChannel.Step = .head([
    ":status": "200", "content-type": "application/grpc", "x-head": "h",
  ])

  @Test("An error after initial metadata has a head of its own; another one is Trailers-Only")
  func errorHeads() async throws {
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], call) -> [UInt8] in
      if !request.isEmpty { call.addInitialMetadata(Metadata(["x-head": "h"])) }
      throw RPCError(.aborted, "no", metadata: Metadata(["x-error": "e"]))
    }
    for request: [UInt8] in [[], [1]] {
      let recorder = Recorder()
      let fields = HeaderFields(["content-type": "application/grpc", "te": "trailers"])
      let stream = try await InProcessChannel(router).open(
        method: "POST", path: Echo.unary.path, fields: fields, isLast: false, waitForReady: false,
        receiver: recorder)
      stream.send(request.enveloped(), isLast: true)
      await recorder.closed()
      let (head, isLast, trailers) = recorder.answer
      if request.isEmpty {
        #expect(isLast && trailers == nil)
        #expect(head?.first("grpc-status") == "10" && head?.first("x-error") == "e")
      } else {
        #expect(!isLast)
        #expect(head?.first("x-head") == "h" && head?.first("grpc-status") == nil)
        #expect(trailers?.first("grpc-status") == "10" && trailers?.first("x-error") == "e")
        #expect(trailers?.first("x-head") == nil)
      }
    }
  }

  @Test("The error of a call with one response carries the metadata of head and trailers")
  func errorMetadata() async throws {
    let channel = ScriptedChannel([
      Self.head, .trailers(["grpc-status": "9", "grpc-message": "k%C3%A4se", "x-trailer": "t"]),
    ])
    let client = RPCClient(channel)
    let unary = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
    let streaming = await #expect(throws: RPCError.self) {
      try await client.clientStreaming(Echo.sum) { try await $0.write([1]) }
    }
    for error in [unary, streaming] {
      #expect(error?.code == .failedPrecondition && error?.message == "käse")
      #expect(error?.metadata["x-head"] == "h" && error?.metadata["x-trailer"] == "t")
    }
  }

  @Test("A message that is a decompression bomb is refused")
  func bomb() async throws {
    let bomb = try ZlibCompression.gzip.compress([UInt8](repeating: 0, count: 64 << 20))
    let channel = ScriptedChannel([
      .head([
        ":status": "200", "content-type": "application/grpc", "grpc-encoding": "gzip",
      ]), .body(bomb.enveloped(flags: 1)), .trailers(["grpc-status": "0"]),
    ])
    let client = RPCClient(
      channel, form: ClientForm(.grpc, acceptedCompressions: .standard))
    let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, []) }
    #expect(error?.code == .resourceExhausted)
  }

  @Test("A client stream that is cancelled is reset, and does not look complete")
  func cancelledClientStream() async throws {
    let channel = ScriptedChannel([Self.head, .trailers(["grpc-status": "0"])])
    let client = RPCClient(channel)
    let task = Task {
      try await client.clientStreaming(Echo.sum) { writer in
        try await writer.write([1])
        withUnsafeCurrentTask { $0?.cancel() }
      }
    }
    let error = await #expect(throws: RPCError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    let request = try #require(channel.requests.first)
    #expect(request.body == [1].enveloped())
    #expect(!request.isComplete && request.resetCode == .cancel)
  }

  @Test("A client stream whose body fails is reset, and does not look complete")
  func failedClientStream() async throws {
    struct Trouble: Error {}
    let channel = ScriptedChannel([Self.head, .trailers(["grpc-status": "0"])])
    await #expect(throws: Trouble.self) {
      try await RPCClient(channel).clientStreaming(Echo.sum) { writer in
        try await writer.write([1])
        throw Trouble()
      }
    }
    let request = try #require(channel.requests.first)
    #expect(!request.isComplete && request.resetCode == .cancel)
  }

  @Test("An answer without a gRPC status is mapped by its HTTP status")
  func httpStatuses() async throws {
    for (status, code): (Int, StatusCode) in [
      (400, .internalError), (401, .unauthenticated), (403, .permissionDenied),
      (404, .unimplemented), (429, .unavailable), (502, .unavailable), (503, .unavailable),
      (504, .unavailable), (418, .unknown), (200, .unknown),
    ] {
      let fields: KeyValuePairs = [":status": "\(status)", "content-type": "text/html"]
      for steps: [ScriptedChannel.Step] in [
        [.head(fields, isLast: true)], [.head(fields), .body([60], isLast: true)],
      ] {
        let error = await #expect(throws: RPCError.self) {
          try await RPCClient(ScriptedChannel(steps)).unary(Echo.unary, [])
        }
        #expect(error?.code == code, "HTTP status \(status)")
      }
    }
  }

  @Test("RST_STREAM is mapped as the gRPC HTTP/2 document says")
  func resets() async throws {
    for (code, status): (HTTP2ErrorCode, StatusCode) in [
      (.noError, .internalError), (.protocolError, .internalError), (.refusedStream, .unavailable),
      (.cancel, .cancelled),
      (.enhanceYourCalm, .resourceExhausted), (.inadequateSecurity, .permissionDenied),
      (.unknown(99), .internalError),
    ] {
      let client = RPCClient(ScriptedChannel([Self.head, .close(.reset(code))]))
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, []) }
      #expect(error?.code == status, "RST_STREAM with \(code)")
    }
  }

  /// Keeps the header blocks of one answer.
  private final class Recorder: HTTPResponseReceiver {
    private struct State {
      var head: HeaderFields?
      var isLast = false
      var trailers: HeaderFields?
      var isClosed = false
    }
    private let state = Mutex(State())

    var answer: (HeaderFields?, isLast: Bool, HeaderFields?) {
      state.withLock { ($0.head, $0.isLast, $0.trailers) }
    }

    func closed() async {
      while !state.withLock({ $0.isClosed }) { try? await Task.sleep(for: .milliseconds(1)) }
    }

    func receivedHead(_ fields: HeaderFields, isLast: Bool) {
      state.withLock {
        $0.head = fields
        $0.isLast = isLast
      }
    }
    func received(_ data: borrowing Span<UInt8>, isLast: Bool) {}
    func receivedTrailers(_ fields: HeaderFields) { state.withLock { $0.trailers = fields } }
    func streamWritable() {}
    func streamClosed(_ end: StreamEnd) { state.withLock { $0.isClosed = true } }
  }
}
