import RPC
import TestSchemas

extension TestCases {
  private static let requestSizes = [27_182, 8, 1_828, 45_904]
  private static let responseSizes: [Int32] = [31_415, 9, 2_653, 58_979]

  private static func input(
    _ size: Int, isCompressed: Bool? = nil
  ) -> GRPCTesting.StreamingInputCallRequest {
    var request = GRPCTesting.StreamingInputCallRequest()
    request.payload = payload(size)
    request.expectCompressed = isCompressed.map { bool($0) }
    return request
  }

  func clientStreaming() async throws {
    let response = try await plain.clientStreaming(Methods.streamingInputCall) { writer in
      for size in Self.requestSizes { try await writer.write(Self.input(size)) }
    }
    try expectEqual(response.aggregatedPayloadSize, 74_922, "the aggregated payload size")
  }

  func clientCompressedStreaming() async throws {
    try await expectStatus(.invalidArgument) {
      try await compressed.clientStreaming(Methods.streamingInputCall) { writer in
        try await writer.write(Self.input(27_182, isCompressed: true), compresses: false)
      }
    }
    let response = try await compressed.clientStreaming(Methods.streamingInputCall) { writer in
      try await writer.write(Self.input(27_182, isCompressed: true))
      try await writer.write(Self.input(45_904, isCompressed: false), compresses: false)
    }
    try expectEqual(response.aggregatedPayloadSize, 73_086, "the aggregated payload size")
  }

  func serverStreaming() async throws {
    let sizes = try await plain.serverStreaming(
      Methods.streamingOutputCall, Self.output(0, Self.responseSizes)
    ) { responses in
      var sizes: [Int32] = []
      for try await response in responses {
        let size = response.payload?.body.count ?? 0
        try expectZeros(response.payload, size)
        sizes.append(Int32(size))
      }
      return sizes
    }
    try expectEqual(sizes, Self.responseSizes, "the list of payload sizes")
  }

  func serverCompressedStreaming() async throws {
    var request = Self.output(0, [31_415, 92_653])
    request.responseParameters[0].compressed = Self.bool(true)
    request.responseParameters[1].compressed = Self.bool(false)
    _ = counter.takeCount()
    let sizes = try await accepting.serverStreaming(
      Methods.streamingOutputCall, request
    ) { responses in
      var sizes: [Int] = []
      for try await response in responses { sizes.append(response.payload?.body.count ?? 0) }
      return sizes
    }
    try expectEqual(sizes, [31_415, 92_653], "the list of payload sizes")
    try expectEqual(counter.takeCount(), 1, "the number of compressed responses")
  }

  func pingPong() async throws {
    try await plain.bidirectional(Methods.fullDuplexCall) { writer, responses in
      var iterator = responses.makeAsyncIterator()
      for (requestSize, responseSize) in zip(Self.requestSizes, Self.responseSizes) {
        try await writer.write(Self.output(requestSize, [responseSize]))
        guard let response = try await iterator.next() else {
          throw Mismatch("the server ended the call early")
        }
        try expectZeros(response.payload, Int(responseSize))
      }
      try await writer.finish()
      try expect(try await iterator.next() == nil, "a response that was not asked for")
    }
  }

  func emptyStream() async throws {
    try await plain.bidirectional(Methods.fullDuplexCall) { writer, responses in
      try await writer.finish()
      var iterator = responses.makeAsyncIterator()
      try expect(try await iterator.next() == nil, "a response to no request")
    }
  }

  func customMetadata() async throws {
    let text = "test_initial_metadata_value"
    let bytes: [UInt8] = [0xab, 0xab, 0xab]
    var options = CallOptions(metadata: Metadata(["x-grpc-test-echo-initial": text]))
    options.metadata.appendBinary("x-grpc-test-echo-trailing-bin", bytes)

    func check(_ initial: Metadata, _ trailing: Metadata) throws {
      try expectEqual(initial["x-grpc-test-echo-initial"], text, "the initial metadata")
      try expectEqual(
        trailing.binary("x-grpc-test-echo-trailing-bin"), bytes, "the trailing metadata")
    }

    let answer = try await plain.unaryResponse(
      Methods.unaryCall, Self.simple(271_828, 314_159), options: options)
    try check(answer.initialMetadata, answer.trailingMetadata)
    try await plain.bidirectional(Methods.fullDuplexCall, options: options) { writer, responses in
      try await writer.write(Self.output(271_828, [314_159]))
      try await writer.finish()
      for try await response in responses { try expectZeros(response.payload, 314_159) }
      try check(await responses.initialMetadata(), responses.trailingMetadata)
    }
  }

  func cancelAfterBegin() async throws {
    try await expectCancelled {
      try await plain.bidirectional(Methods.streamingInputCall) { _, responses in
        withUnsafeCurrentTask { $0?.cancel() }
        for try await _ in responses {}
      }
    }
  }

  func cancelAfterFirstResponse() async throws {
    try await expectCancelled {
      try await plain.bidirectional(Methods.fullDuplexCall) { writer, responses in
        try await writer.write(Self.output(27_182, [31_415]))
        var iterator = responses.makeAsyncIterator()
        try expectZeros(try await iterator.next()?.payload, 31_415)
        withUnsafeCurrentTask { $0?.cancel() }
        _ = try await iterator.next()
      }
    }
  }

  /// Runs the body in a task of its own, which it cancels.
  private func expectCancelled(_ body: @escaping @Sendable () async throws -> Void) async throws {
    try await Task { _ = try await expectStatus(.cancelled, body) }.value
  }

  func timeoutOnSleepingServer() async throws {
    let options = CallOptions(timeout: .milliseconds(1))
    try await expectStatus(.deadlineExceeded) {
      try await plain.bidirectional(Methods.fullDuplexCall, options: options) { writer, responses in
        try await writer.write(Self.output(27_182, []))
        for try await _ in responses {}
      }
    }
  }
}
