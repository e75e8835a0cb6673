import RPC
import TestSchemas

extension TestCases {
  func emptyUnary() async throws {
    let response = try await plain.unary(Methods.emptyCall, GRPCTesting.Empty())
    try expectEqual(response, GRPCTesting.Empty(), "the response")
  }

  func largeUnary() async throws {
    try await large(plain)
  }

  private func large(_ client: RPCClient) async throws {
    let response = try await client.unary(Methods.unaryCall, Self.simple(271_828, 314_159))
    try expectZeros(response.payload, 314_159)
  }

  func cacheableUnary() async throws {
    var request = GRPCTesting.SimpleRequest()
    var payload = GRPCTesting.Payload()
    payload.body = Array("\(ContinuousClock.now)".utf8)
    request.payload = payload
    let options = CallOptions(metadata: Metadata(["x-user-ip": "1.2.3.4"]))
    let method = Methods.cacheableUnaryCall
    let first = try await plain.unary(method, request, options: options)
    let second = try await plain.unary(method, request, options: options)
    try expectEqual(second.payload, first.payload, "the answer from the cache")
    request.payload?.body += Array("another".utf8)
    let third = try await plain.unary(method, request, options: options)
    try expect(third.payload != first.payload, "another request got the same answer")
  }

  func clientCompressedUnary() async throws {
    var request = Self.simple(271_828, 314_159)
    request.expectCompressed = Self.bool(true)
    try await expectStatus(.invalidArgument) { [request] in
      try await accepting.unary(Methods.unaryCall, request)
    }
    try expectZeros(
      try await compressed.unary(Methods.unaryCall, request).payload, 314_159)
    request.expectCompressed = Self.bool(false)
    try expectZeros(
      try await accepting.unary(Methods.unaryCall, request).payload, 314_159)
  }

  func serverCompressedUnary() async throws {
    for isWanted in [true, false] {
      var request = Self.simple(271_828, 314_159)
      request.responseCompressed = Self.bool(isWanted)
      _ = counter.takeCount()
      try expectZeros(
        try await accepting.unary(Methods.unaryCall, request).payload, 314_159)
      try expectEqual(counter.takeCount(), isWanted ? 1 : 0, "the number of compressed responses")
    }
  }

  func statusCodeAndMessage() async throws {
    try await status("test status message")
    var request = GRPCTesting.StreamingOutputCallRequest()
    request.responseStatus = Self.status(2, "test status message")
    let error = try await expectStatus(.unknown) { [request] in
      try await plain.bidirectional(Methods.fullDuplexCall) { writer, responses in
        try await writer.write(request)
        try await writer.finish()
        for try await _ in responses {}
      }
    }
    try expectEqual(error.message, "test status message", "the status message")
  }

  func specialStatusMessage() async throws {
    try await status("\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")
  }

  private func status(_ message: String) async throws {
    var request = GRPCTesting.SimpleRequest()
    request.responseStatus = Self.status(2, message)
    let error = try await expectStatus(.unknown) { [request] in
      try await plain.unary(Methods.unaryCall, request)
    }
    try expectEqual(error.message, message, "the status message")
  }

  private static func status(_ code: Int32, _ message: String) -> GRPCTesting.EchoStatus {
    var status = GRPCTesting.EchoStatus()
    status.code = code
    status.message = message
    return status
  }

  func unimplementedMethod() async throws {
    try await expectStatus(.unimplemented) {
      try await plain.unary(Methods.unimplementedCall, GRPCTesting.Empty())
    }
  }

  func unimplementedService() async throws {
    try await expectStatus(.unimplemented) {
      try await plain.unary(
        GRPCTesting.UnimplementedServiceMethods.unimplementedCall, GRPCTesting.Empty())
    }
  }

  func rpcSoak() async throws {
    for _ in 0..<soakIterations { try await large(plain) }
  }

  func channelSoak() async throws {
    for _ in 0..<soakIterations { try await large(try another()) }
  }
}
