import RPC
import RPCTransport
import Testing

/// The same sentences hold whatever carries the calls.
@Suite struct CallTests {

  @Test("A unary call gives the answer and the trailing metadata", arguments: Transport.allCases)
  func unary(_ transport: Transport) async throws {
    try await transport.withClient(Echo.router()) { client in
      let answer = try await client.unaryResponse(
        Echo.unary, [1, 2, 3], options: CallOptions(metadata: Metadata(["x-in": "yes"])))
      #expect(answer.message == [1, 2, 3])
      #expect(answer.trailingMetadata["x-seen"] == "yes")
    }
  }

  @Test(
    "An error keeps its code, its text in any language and its details",
    arguments: Transport.allCases)
  func failure(_ transport: Transport) async throws {
    try await transport.withClient(Echo.router()) { client in
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(Echo.unary, Array("fail".utf8))
      }
      #expect(error?.code == .failedPrecondition)
      #expect(error?.message == "käse 100%")
      #expect(
        error?.details == [StatusDetail(typeURL: "type.googleapis.com/x.Y", value: [1, 2, 3])])
    }
  }

  @Test("A call that takes too long ends with DEADLINE_EXCEEDED", arguments: Transport.allCases)
  func deadline(_ transport: Transport) async throws {
    try await transport.withClient(Echo.router()) { client in
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(
          Echo.unary, Array("sleep".utf8), options: CallOptions(timeout: .milliseconds(50)))
      }
      #expect(error?.code == .deadlineExceeded)
    }
  }

  @Test("A server stream delivers every message in order", arguments: Transport.allCases)
  func serverStream(_ transport: Transport) async throws {
    try await transport.withClient(Echo.router()) { client in
      let numbers = try await client.serverStreaming(Echo.count, [200]) { stream in
        var numbers: [UInt8] = []
        for try await message in stream { numbers.append(message[0]) }
        return numbers
      }
      #expect(numbers == Array(0..<200))
    }
  }

  @Test("A client stream is summed up into one answer", arguments: Transport.allCases)
  func clientStream(_ transport: Transport) async throws {
    try await transport.withClient(Echo.router()) { client in
      let sum = try await client.clientStreaming(Echo.sum) { writer in
        for i in 1...10 { try await writer.write([UInt8(i)]) }
      }
      #expect(sum == [55])
    }
  }

  @Test(
    "A bidirectional call answers each message before the next is sent",
    arguments: Transport.allCases)
  func chat(_ transport: Transport) async throws {
    try await transport.withClient(Echo.router()) { client in
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
  }

  @Test(
    "Metadata keeps repeated keys in order and bytes as they are, both ways",
    arguments: Transport.allCases)
  func metadata(_ transport: Transport) async throws {
    var router = ServiceRouter(compressions: .standard)
    router.handle(Echo.unary) { (request: [UInt8], call) in
      var own = Metadata()
      for entry in call.metadata.entries where entry.key.hasPrefix("x-own") {
        switch entry.value {
        case .text(let text): own.append(entry.key, text)
        case .binary(let bytes): own.appendBinary(entry.key, bytes)
        }
      }
      call.addInitialMetadata(own)
      call.addTrailingMetadata(own)
      return request
    }
    var metadata = Metadata(["x-own": "b", "x-own": "a, c", "x-own": ""])
    metadata.appendBinary("x-own-bin", [0, 255, 44, 10])
    metadata.appendBinary("x-own-bin", [])
    try await transport.withClient(router) { client in
      let answer = try await client.unaryResponse(
        Echo.unary, [1], options: CallOptions(metadata: metadata))
      for received in [answer.initialMetadata, answer.trailingMetadata] {
        #expect(received.values("x-own") == [.text("b"), .text("a, c"), .text("")])
        #expect(received.values("x-own-bin") == [.binary([0, 255, 44, 10]), .binary([])])
      }
    }
  }

  @Test("An unknown method is UNIMPLEMENTED", arguments: Transport.allCases)
  func unknown(_ transport: Transport) async throws {
    try await transport.withClient(Echo.router()) { client in
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(Echo.method("Nothing", .unary), [])
      }
      #expect(error?.code == .unimplemented)
    }
  }
}
