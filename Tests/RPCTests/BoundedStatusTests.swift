import Testing

@testable import RPC

/// A status is one that every client and proxy takes, whatever a handler throws.
@Suite struct BoundedStatusTests {
  static let messages = [
    "", "short", String(repeating: "a", count: 100_000), String(repeating: "%", count: 100_000),
    String(repeating: "\u{e9}\n", count: 50_000), String(repeating: "\u{1f511}", count: 5000),
    String(repeating: " ", count: 3000),
  ]
  static let details: [[StatusDetail]] = [
    [], [StatusDetail(typeURL: "t/a", value: [1, 2, 3])],
    [StatusDetail(typeURL: "t/a", value: [UInt8](repeating: 7, count: 100_000))],
    (0..<1000).map { StatusDetail(typeURL: "t/\($0)", value: [UInt8](repeating: 7, count: 50)) },
  ]

  @Test("A status stays below 8 KiB", arguments: messages, details)
  func bound(message: String, details: [StatusDetail]) {
    let error = RPCError(.failedPrecondition, message, details: details)
    var fields = HeaderFields()
    WireStatus.append(error.bounded, trailing: Metadata(), to: &fields)
    #expect(fields.listBytes < 8 << 10)
    #expect(error.bounded.code == .failedPrecondition)
    #expect(error.bounded.bounded == error.bounded)
    if let first = message.first {
      #expect(error.bounded.message == message || error.bounded.message.hasSuffix("…"))
      #expect(error.bounded.message.first == first)
    }
  }

  @Test("Details that fit stay, also behind one that does not")
  func kept() {
    let small = StatusDetail(typeURL: "t/a", value: [1])
    let large = StatusDetail(typeURL: "t/b", value: [UInt8](repeating: 7, count: 10_000))
    let error = RPCError(.notFound, "gone", details: [small, large, small])
    #expect(error.bounded.details == [small, small])
    #expect(error.bounded.message == "gone")
  }

  @Test("What is small is left as it is")
  func untouched() {
    let error = RPCError(
      .notFound, "no cluster \u{201c}a%b\u{201d}",
      details: [StatusDetail(typeURL: "t/a", value: [UInt8](repeating: 7, count: 1000))])
    #expect(error.bounded == error)
  }

  @Test("A client gets the code of an error whose text and details are too much")
  func wire() async throws {
    var router = Echo.router()
    let method = Echo.method("Wordy", .unary)
    router.handle(method) { (request: [UInt8], call) -> [UInt8] in
      throw RPCError(.aborted, Self.messages[2], details: Self.details[2])
    }
    try await Transport.unix.withClient(router) { client in
      let error = await #expect(throws: RPCError.self) { try await client.unary(method, [1]) }
      #expect(error?.code == .aborted)
      #expect(error?.message.hasSuffix("…") == true)
    }
  }
}
