import RPC
import RPCTransport
import Testing

/// What the client asks in Connect, and what it makes of the answers of other servers
/// (connectrpc.com/docs/protocol).
@Suite struct ConnectAnswerTests {
  private static let form = ClientForm(.connect)
  private static let streamHead: ScriptedChannel.Step = .head([
    ":status": "200", "content-type": "application/connect+proto",
  ])
  private static let look = RPC.Method<[UInt8], [UInt8]>(
    service: "test.Echo", name: "Look", kind: .unary, idempotency: .noSideEffects,
    request: .bytes, response: .bytes)

  private func stream(
    _ steps: [ScriptedChannel.Step]
  ) async throws -> (messages: [[UInt8]], trailing: Metadata) {
    try await RPCClient(ScriptedChannel(steps), form: Self.form).serverStreaming(Echo.count, []) {
      var messages: [[UInt8]] = []
      for try await message in $0 { messages.append(message) }
      return (messages, $0.trailingMetadata)
    }
  }

  @Test("A stream's end without an error, or with null for it, is OK")
  func ends() async throws {
    for end in [#"{}"#, #"{"error":null}"#, #"{"metadata":{"x-after":["a","b"]},"error":null}"#] {
      let (messages, trailing) = try await stream([
        Self.streamHead, .body([1].enveloped() + Array(end.utf8).enveloped(flags: 2), isLast: true),
      ])
      #expect(messages == [[1]])
      if end.contains("x-after") {
        #expect(trailing.values("x-after") == [.text("a"), .text("b")])
      }
    }
  }

  @Test("A stream's end with an error is that error, with its details and metadata")
  func failed() async throws {
    let end = """
      {"error":{"code":"not_found","message":"gone","details":[{"type":"a.B","value":"/w"}]},\
      "metadata":{"X-After":["yes"]}}
      """
    let error = await #expect(throws: RPCError.self) {
      try await stream([Self.streamHead, .body(Array(end.utf8).enveloped(flags: 2))])
    }
    #expect(error?.code == .notFound && error?.message == "gone")
    #expect(error?.details == [StatusDetail(typeURL: "type.googleapis.com/a.B", value: [255])])
    #expect(error?.metadata["x-after"] == "yes")
  }

  @Test("A stream whose end is missing or no JSON object is INTERNAL")
  func malformedEnds() async throws {
    for body in [
      [1].enveloped(), Array("null".utf8).enveloped(flags: 2), Array("{".utf8).enveloped(flags: 2),
    ] {
      let error = await #expect(throws: RPCError.self) {
        try await stream([Self.streamHead, .body(body, isLast: true)])
      }
      #expect(error?.code == .internalError)
    }
  }

  @Test("An answer in another codec than was asked for is INTERNAL, in another protocol UNKNOWN")
  func otherCodec() async throws {
    for (type, code): (String, StatusCode) in [
      ("application/connect+json", .internalError), ("application/grpc", .unknown),
    ] {
      let error = await #expect(throws: RPCError.self) {
        try await stream([.head([":status": "200", "content-type": type])])
      }
      #expect(error?.code == code, "\(type)")
    }
    for (type, code): (String, StatusCode) in [
      ("application/json", .internalError), ("text/plain", .unknown),
    ] {
      let channel = ScriptedChannel([.head([":status": "200", "content-type": type])])
      let error = await #expect(throws: RPCError.self) {
        try await RPCClient(channel, form: Self.form).unary(Echo.unary, [])
      }
      #expect(error?.code == code, "\(type)")
    }
  }

  @Test("A unary message without bytes is a request, and an answer, without a body")
  func withoutBody() async throws {
    let channel = ScriptedChannel([
      .head([":status": "200", "content-type": "application/proto"], isLast: true)
    ])
    #expect(try await RPCClient(channel, form: Self.form).unary(Echo.unary, []) == [])
    let request = try #require(channel.requests.first)
    #expect(request.method == "POST" && request.isComplete && request.body.isEmpty)
    #expect(request.fields.first("content-type") == "application/proto")
    #expect(request.fields.first("connect-protocol-version") == "1")
    // Our own server takes it, too.
    let client = RPCClient(InProcessChannel(Echo.router()), form: Self.form)
    #expect(try await client.unary(Echo.unary, []) == [])
  }

  @Test("A unary error has its code, and the metadata of the head and of the trailers in it")
  func unaryError() async throws {
    let channel = ScriptedChannel([
      .head([
        ":status": "409", "content-type": "application/json", "x-head": "h",
        "trailer-x-after": "t",
      ]), .body(Array(#"{"code":"aborted","message":"not now"}"#.utf8), isLast: true),
    ])
    let error = await #expect(throws: RPCError.self) {
      try await RPCClient(channel, form: Self.form).unary(Echo.unary, [1])
    }
    #expect(error?.code == .aborted && error?.message == "not now")
    #expect(error?.metadata["x-head"] == "h" && error?.metadata["x-after"] == "t")
  }

  @Test("A GET has its query in the order that the protocol recommends, and no body")
  func getQuery() async throws {
    let channel = ScriptedChannel([
      .head([":status": "200", "content-type": "application/proto"]), .body([9], isLast: true),
    ])
    var form = ClientForm(.connect, usesGet: true)
    #expect(try await RPCClient(channel, form: form).unary(Self.look, [0xfb, 0xff]) == [9])
    form.requestCompression = ZlibCompression.gzip
    _ = try await RPCClient(channel, form: form).unary(Self.look, [])
    // A method with side effects stays a POST.
    _ = try await RPCClient(channel, form: ClientForm(.connect, usesGet: true))
      .unary(Echo.unary, [1])
    let requests = channel.requests
    #expect(requests.map(\.method) == ["GET", "GET", "POST"])
    #expect(requests[0].path == "/test.Echo/Look?connect=v1&base64=1&encoding=proto&message=-_8")
    #expect(
      requests[1].path.hasPrefix(
        "/test.Echo/Look?connect=v1&base64=1&compression=gzip&encoding=proto&message="))
    #expect(requests[0].isComplete && requests[0].fields.first("content-type") == nil)
  }
}
