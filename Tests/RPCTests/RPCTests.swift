import RPC
import Testing

/// A service on plain bytes: the calls are tested, not a codec.
enum Echo {
  static let unary = method("Unary", .unary)
  static let count = method("Count", .serverStreaming)
  static let sum = method("Sum", .clientStreaming)
  static let chat = method("Chat", .bidirectionalStreaming)

  static func method(_ name: String, _ kind: MethodKind) -> RPC.Method<[UInt8], [UInt8]> {
    RPC.Method(
      service: "test.Echo", name: name, kind: kind, request: .bytes, response: .bytes)
  }

  static func router() -> ServiceRouter {
    var router = ServiceRouter()
    router.handle(unary) { (request: [UInt8], call) in
      if request == Array("fail".utf8) {
        throw RPCError(
          .failedPrecondition, "käse 100%",
          details: [StatusDetail(typeURL: "type.googleapis.com/x.Y", value: [1, 2, 3])])
      }
      if request == Array("sleep".utf8) { try await Task.sleep(for: .seconds(30)) }
      call.addTrailingMetadata(Metadata(["x-seen": call.metadata["x-in"] ?? "none"]))
      return request
    }
    router.handle(count) { (request: [UInt8], writer: ResponseWriter<[UInt8]>, call) in
      for i in 0..<Int(request[0]) { try await writer.write([UInt8(i)]) }
    }
    router.handle(sum) { (requests: RequestStream<[UInt8]>, call) in
      var sum: UInt8 = 0
      for try await request in requests { sum += request[0] }
      return [sum]
    }
    router.handle(chat) {
      (requests: RequestStream<[UInt8]>, writer: ResponseWriter<[UInt8]>, call) in
      for try await request in requests { try await writer.write(request + request) }
    }
    return router
  }
}

@Suite struct InProcessCallTests {
  let client = RPCClient(InProcessChannel(Echo.router()))

  @Test("A unary call gives the answer and the trailing metadata")
  func unary() async throws {
    let answer = try await client.unaryResponse(
      Echo.unary, [1, 2, 3], options: CallOptions(metadata: Metadata(["x-in": "yes"])))
    #expect(answer.message == [1, 2, 3])
    #expect(answer.trailingMetadata["x-seen"] == "yes")
  }

  @Test("An error keeps its code, its text in any language and its details")
  func failure() async throws {
    let error = await #expect(throws: RPCError.self) {
      try await client.unary(Echo.unary, Array("fail".utf8))
    }
    #expect(error?.code == .failedPrecondition)
    #expect(error?.message == "käse 100%")
    #expect(error?.details == [StatusDetail(typeURL: "type.googleapis.com/x.Y", value: [1, 2, 3])])
  }

  @Test("A call that takes too long ends with DEADLINE_EXCEEDED")
  func deadline() async throws {
    let error = await #expect(throws: RPCError.self) {
      try await client.unary(
        Echo.unary, Array("sleep".utf8), options: CallOptions(timeout: .milliseconds(50)))
    }
    #expect(error?.code == .deadlineExceeded)
  }

  @Test("A server stream delivers every message in order")
  func serverStream() async throws {
    let numbers = try await client.serverStreaming(Echo.count, [200]) { stream in
      var numbers: [UInt8] = []
      for try await message in stream { numbers.append(message[0]) }
      return numbers
    }
    #expect(numbers == Array(0..<200))
  }

  @Test("A client stream is summed up into one answer")
  func clientStream() async throws {
    let sum = try await client.clientStreaming(Echo.sum) { writer in
      for i in 1...10 { try await writer.write([UInt8(i)]) }
    }
    #expect(sum == [55])
  }

  @Test("A bidirectional call answers each message before the next is sent")
  func chat() async throws {
    let answers = try await client.bidirectional(Echo.chat) { writer, stream in
      var answers: [[UInt8]] = []
      var iterator = stream.makeAsyncIterator()
      for i in 1...3 {
        try await writer.write([UInt8(i)])
        if let answer = try await iterator.next() { answers.append(answer) }
      }
      try await writer.finish()
      #expect(try await iterator.next() == nil)
      return answers
    }
    #expect(answers == [[1, 1], [2, 2], [3, 3]])
  }

  @Test("An unknown method is UNIMPLEMENTED")
  func unknown() async throws {
    let error = await #expect(throws: RPCError.self) {
      try await client.unary(Echo.method("Nothing", .unary), [])
    }
    #expect(error?.code == .unimplemented)
  }
}
