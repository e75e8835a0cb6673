import Glibc
import RPC
import RPCTransport
import Testing

/// Requests that are begun and never ended: what they keep the others from, and how long.
@Suite(.serialized) struct RequestMemoryServerTests {
  private static let start =
    RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, [])

  /// The head of a call and the begin of a message, in frames of 16 KiB at most.
  private static func begun(bytes: Int, of length: Int) -> [UInt8] {
    var frames = RawConnection.frame(1, flags: 4, stream: 1, RawConnection.echoRequest)
    var rest =
      [0, 0, UInt8(length >> 16), UInt8(length >> 8 & 0xff), UInt8(length & 0xff)]
      + [UInt8](repeating: 9, count: bytes)
    while !rest.isEmpty {
      frames += RawConnection.frame(0, flags: 0, stream: 1, Array(rest.prefix(16_000)))
      rest.removeFirst(min(16_000, rest.count))
    }
    return frames
  }

  private static func message(_ count: Int) -> [UInt8] { [UInt8](repeating: 1, count: count) }

  @Test(
    "Half-sent requests on one listener leave the other listener its share, and small requests everybody"
  )
  func share() async throws {
    var configuration = ServerConfiguration()
    configuration.heldBytes = 1 << 20
    configuration.heldBytesPerConnection = 1 << 20
    let reports = NewcomerTests.Reports()
    try await withServer(Echo.router(), configuration: configuration, report: reports.add) {
      path, server in
      let port = try await server.listen(plaintext: "127.0.0.1", port: 0)
      let crowd = try (0..<4).map { _ in try RawConnection(port: port) }
      for connection in crowd {
        connection.send(Self.start + Self.begun(bytes: 300_000, of: 1 << 20))
      }
      let filled = RPCClient(
        try SocketChannel(.plaintext(host: "127.0.0.1", port: port)))
      // In several frames, so through what is kept.
      var refusal: RPCError?
      for _ in 0..<500 where refusal == nil {
        do {
          _ = try await filled.unary(
            Echo.unary, Self.message(200_000), options: CallOptions(timeout: .seconds(20)))
          try await Task.sleep(for: .milliseconds(10))
        } catch { refusal = error as? RPCError }
      }
      #expect(
        refusal?.code == .resourceExhausted, "the crowd has filled what its listener may keep")
      let told = try #require(reports.of(.requestRefused).first)
      #expect(told.listener == "127.0.0.1:\(port)" && told.peer.hasPrefix("127.0.0.1:"))
      #expect(told.reason == "the requests of all connections take what they may")
      let small = try await filled.unary(
        Echo.unary, Self.message(10_000), options: CallOptions(timeout: .seconds(20)))
      #expect(small.count == 10_000)
      let local = RPCClient(try SocketChannel(.unix(path: path)))
      for _ in 0..<5 {
        let answer = try await local.unary(
          Echo.unary, Self.message(200_000), options: CallOptions(timeout: .seconds(20)))
        #expect(answer.count == 200_000)
      }
      withExtendedLifetime(crowd) {}
    }
  }

  @Test(
    "A request of which nothing more comes is ended; one that comes slowly, and a stream that is silent, are not"
  )
  func stalled() async throws {
    var configuration = ServerConfiguration()
    configuration.requestStallTimeout = .milliseconds(400)
    let reports = NewcomerTests.Reports()
    try await withServer(Echo.router(), configuration: configuration, report: reports.add) {
      path, server in
      let slow = try RawConnection(path)
      slow.send(Self.start + Self.begun(bytes: 10, of: 40))
      let stuck = try RawConnection(path)
      stuck.send(Self.start + Self.begun(bytes: 10, of: 40))
      let silent = Task {
        let client = RPCClient(try SocketChannel(.unix(path: path)))
        return try await client.bidirectional(
          Echo.chat, options: CallOptions(timeout: .seconds(20))
        ) { requests, responses in
          try await Task.sleep(for: .milliseconds(1500))
          try await requests.write([7])
          try await requests.finish()
          var seen: [[UInt8]] = []
          for try await response in responses { seen.append(response) }
          return seen
        }
      }
      for left in (0..<30).reversed() {
        slow.send(RawConnection.frame(0, flags: left == 0 ? 1 : 0, stream: 1, [9]))
        try await Task.sleep(for: .milliseconds(50))
      }
      // A status that comes alone has the stream's end in its HEADERS.
      let ended = stuck.frames { $0.type == 1 }.last
      #expect(ended?.flags == 5)
      let answered = slow.frames { $0.type == 1 && $0.flags & 1 != 0 }
      #expect(answered.contains { $0.type == 0 && $0.payload.count == 45 })
      #expect(try await silent.value == [[7, 7]])
      #expect(
        reports.of(.requestUnfinished).map(\.reason) == [
          "no more of the request has come for too long: /test.Echo/Unary"
        ])
      #expect(server.connectionTroubles == [.requestUnfinished: 1])
    }
  }
}
