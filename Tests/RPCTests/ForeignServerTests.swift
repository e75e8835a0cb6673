import Glibc
import HTTP2
import RPC
import RPCTransport
import Synchronization
import Testing

/// What a client makes of servers that are within the rules of HTTP/2 and unlike ours, or broken.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ForeignServerTests {
  /// HEADERS of the first request has come.
  private static let firstHead = Array(
    RawConnection.frame(1, flags: 0, stream: 1, [])[5...])

  private static func code(_ body: () async throws -> Void) async -> (StatusCode?, String) {
    do {
      try await body()
      return (nil, "")
    } catch {
      return ((error as? RPCError)?.code, (error as? RPCError)?.message ?? "\(error)")
    }
  }

  @Test("White space around a status' text costs no call its status")
  func spaces() async throws {
    try await ScriptedServer().run { connection, _ in
      _ = connection.read(until: Self.firstHead)
      connection.send(
        ScriptedServer.head(
          1, [("grpc-status", "5"), ("grpc-message", "gone "), ("x-a", " v")], isLast: true))
      _ = connection.readToEnd()
    } _: { client in
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(Echo.unary, [1])
      }
      #expect(error?.code == .notFound && error?.message == "gone")
      #expect(error?.metadata["x-a"] == "v")
    }
  }

  @Test("A call that the server ends early is over: its stream goes, and the channel can be closed")
  func endedEarly() async throws {
    let codes = Mutex<[Bool]>([])
    try await ScriptedServer().run { connection, _ in
      _ = connection.read(until: Self.firstHead)
      connection.send(ScriptedServer.head(1, [("grpc-status", "7")], isLast: true))
      // RST_STREAM(NO_ERROR) for the request, and then the end.
      let isReset = connection.read(
        until: RawConnection.frame(3, flags: 0, stream: 1, [0, 0, 0, 0]))
      let isClosed = connection.readToEnd() != nil
      codes.withLock { $0 = [isReset, isClosed] }
    } _: { client in
      let (code, _) = await Self.code {
        _ = try await client.bidirectional(Echo.chat) { _, responses in
          for try await _ in responses {}
        }
      }
      #expect(code == .permissionDenied)
    }
    #expect(codes.withLock { $0 } == [true, true])
  }

  @Test("An answer whose head or trailers are too large ends the call with RESOURCE_EXHAUSTED")
  func largeBlocks() async throws {
    let large = [("x", String(repeating: "x", count: 17_000))]
    let answers: [[UInt8]] = [
      ScriptedServer.head(1, large) + ScriptedServer.message(1, [1])
        + ScriptedServer.trailers(1, ScriptedServer.ok),
      ScriptedServer.head(1) + ScriptedServer.message(1, [1])
        + ScriptedServer.trailers(1, ScriptedServer.ok + large),
      ScriptedServer.head(1, [("grpc-status", "5")] + large, isLast: true),
    ]
    for answer in answers {
      try await ScriptedServer().run { connection, _ in
        _ = connection.read(until: Self.firstHead)
        connection.send(answer)
        _ = connection.readToEnd()
      } _: { client in
        let (code, message) = await Self.code { _ = try await client.unary(Echo.unary, [1]) }
        #expect(code == .resourceExhausted && message.contains("16384"), "\(message)")
      }
    }
  }

  @Test("An answer that ends without trailers ends the call, however it ends")
  func noTrailers() async throws {
    let ends: [[UInt8]] = [
      ScriptedServer.message(1, [1], isLast: true), RawConnection.frame(0, flags: 1, stream: 1, []),
    ]
    for end in ends {
      try await ScriptedServer().run { connection, _ in
        _ = connection.read(until: Self.firstHead)
        connection.send(ScriptedServer.head(1))
        // Not with the head in one read.
        usleepBriefly()
        connection.send(end)
        _ = connection.readToEnd()
      } _: { client in
        let (code, message) = await Self.code {
          _ = try await client.bidirectional(Echo.chat) { _, responses in
            for try await _ in responses {}
          }
        }
        #expect(code == .internalError, "\(message)")
      }
    }
  }

  @Test("All credit comes back, also for what came before the call knew its stream")
  func credit() async throws {
    var configuration = ChannelConfiguration()
    configuration.http2.initialWindowBytes = 65_535
    for _ in 0..<20 {
      let sent = Atomic(0)
      try await ScriptedServer().run(configuration: configuration) { connection, _ in
        _ = connection.read(until: Self.firstHead)
        // The whole window at once, and more of it once that has come back.
        let piece = [UInt8](repeating: 1, count: 16_000)
        var answer = ScriptedServer.head(1)
        for _ in 0..<4 { answer += ScriptedServer.message(1, piece) }
        connection.send(answer)
        sent.store(4, ordering: .releasing)
        if connection.read(
          until: RawConnection.frame(8, flags: 0, stream: 1, []).dropLast(9) + [8, 0, 0, 0, 0, 1])
        {
          connection.send(ScriptedServer.trailers(1, ScriptedServer.ok))
        }
        _ = connection.readToEnd()
      } _: { client in
        let count = try await client.serverStreaming(
          Echo.count, [1], options: CallOptions(timeout: .seconds(5))
        ) { responses in
          var count = 0
          for try await _ in responses { count += 1 }
          return count
        }
        #expect(count == 4)
      }
    }
  }

  @Test("A server that ends each connection as soon as it is made is asked more and more slowly")
  func hammered() async throws {
    let connections = Mutex(0)
    try await ScriptedServer().run { connection, _ in
      connections.withLock { $0 += 1 }
      // ENHANCE_YOUR_CALM, and why.
      connection.send(
        RawConnection.frame(
          7, flags: 0, stream: 0, [0, 0, 0, 0, 0, 0, 0, 11] + Array("too many connections".utf8)))
    } _: { client in
      for _ in 0..<50 {
        let (code, message) = await Self.code { _ = try await client.unary(Echo.unary, [1]) }
        #expect(code == .unavailable)
        #expect(message.contains("too many connections"), "\(message)")
      }
    }
    #expect(connections.withLock { $0 } < 4)
  }

  @Test("A call that waits for a ready server outlives connections that end at once")
  func waitsForReady() async throws {
    var configuration = ChannelConfiguration()
    configuration.backoff.initial = .milliseconds(5)
    configuration.backoff.maximum = .milliseconds(10)
    try await ScriptedServer().run(configuration: configuration) { connection, number in
      if number < 12 {
        connection.send(RawConnection.frame(7, flags: 0, stream: 0, [0, 0, 0, 0, 0, 0, 0, 0]))
        return
      }
      _ = connection.read(until: Self.firstHead)
      connection.send(
        ScriptedServer.head(1) + ScriptedServer.message(1, [9])
          + ScriptedServer.trailers(1, ScriptedServer.ok))
      _ = connection.readToEnd()
    } _: { client in
      var options = CallOptions(timeout: .seconds(20))
      options.waitForReady = true
      let answer = try await client.unary(Echo.unary, [1], options: options)
      #expect(answer == [9])
    }
  }

  @Test("A call that waits for a server until its deadline says what there was instead of one")
  func obstacle() async throws {
    var configuration = ChannelConfiguration()
    configuration.backoff.initial = .milliseconds(5)
    let channel = try SocketChannel(
      .unix(path: "/tmp/omnid-test-nobody.sock"), configuration: configuration)
    var options = CallOptions(timeout: .milliseconds(300))
    options.waitForReady = true
    let (code, message) = await Self.code {
      _ = try await RPCClient(channel).unary(Echo.unary, [1], options: options)
    }
    #expect(code == .deadlineExceeded && message.contains("No such file"), "\(message)")
    channel.close()
  }

  @Test(
    "A streaming call that the server has not seen is sent again with all that it had sent",
    arguments: [
      RawConnection.frame(7, flags: 0, stream: 0, [0, 0, 0, 0, 0, 0, 0, 0]),
      RawConnection.frame(3, flags: 0, stream: 1, [0, 0, 0, 7]),
    ])
  func sentAgain(_ refusal: [UInt8]) async throws {
    let first = [UInt8](repeating: 5, count: 3)
    for ends in [false, true] {
      let seen = Mutex<[Int]>([])
      try await ScriptedServer().run { connection, number in
        seen.withLock { $0.append(number) }
        _ = connection.read(until: first)
        if number == 0 { connection.send(refusal) }
        // The new stream is on this connection if the old one was refused alone.
        let isSame = number == 0 && refusal[3] == 3
        if number == 0 && !isSame { return }
        if isSame { _ = connection.read(until: first) }
        let stream: UInt32 = isSame ? 3 : 1
        connection.send(
          ScriptedServer.head(stream) + ScriptedServer.message(stream, [9])
            + ScriptedServer.trailers(stream, ScriptedServer.ok))
        _ = connection.readToEnd()
      } _: { client in
        let answer = try await client.bidirectional(Echo.chat) { requests, responses in
          try await requests.write(first)
          // The answer may be faster.
          if ends { try? await requests.finish() }
          var iterator = responses.makeAsyncIterator()
          return try await iterator.next()
        }
        #expect(answer == [9])
      }
      #expect(seen.withLock { $0.count } == (refusal[3] == 3 ? 1 : 2))
    }
  }

  @Test("What is sent again is whole although the new stream's head comes at once")
  func sentAgainAtOnce() async throws {
    for _ in 0..<100 {
      try await ScriptedServer().run { connection, _ in
        _ = connection.read(until: [7, 7, 7])
        // Refused, and the head of the next stream on its heels.
        connection.send(RawConnection.frame(3, flags: 0, stream: 1, [0, 0, 0, 7]))
        let frames = connection.frames {
          if $0.type == 1 { connection.send(ScriptedServer.head(3)) }
          return $0.type == 0
        }
        if frames.last?.payload.suffix(3) == [7, 7, 7] {
          connection.send(
            ScriptedServer.message(3, [9]) + ScriptedServer.trailers(3, ScriptedServer.ok))
        }
        _ = connection.readToEnd()
      } _: { client in
        let answer = try await client.bidirectional(
          Echo.chat, options: CallOptions(timeout: .seconds(5))
        ) { requests, responses in
          try await requests.write([7, 7, 7])
          var iterator = responses.makeAsyncIterator()
          return try await iterator.next()
        }
        #expect(answer == [9])
      }
    }
  }

  @Test("Metadata that is larger than the server takes fails the call before it is sent")
  func largeMetadata() async throws {
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], _) in request }
    try await withServer(router) { path, _ in
      let client = RPCClient(
        try SocketChannel(.unix(path: path)), retry: RetryPolicy(retryableCodes: [.unavailable]))
      for size in [20_000, 70_000] {
        var options = CallOptions()
        options.metadata.append("x", String(repeating: "x", count: size))
        let error = await #expect(throws: RPCError.self) {
          try await client.unary(Echo.unary, [1], options: options)
        }
        #expect(error?.code == .resourceExhausted)
      }
      #expect(try await client.unary(Echo.unary, [1]) == [1])
    }
  }

  @Test("A server that is asked for a sign of life too often is asked half as often from then on")
  func tooManyPings() async throws {
    var configuration = ChannelConfiguration()
    configuration.keepaliveInterval = .milliseconds(50)
    configuration.backoff.initial = .milliseconds(1)
    let pinged = Mutex<[Duration]>([])
    let ping: [UInt8] = [0, 0, 8, 6, 0, 0, 0, 0, 0]
    try await ScriptedServer().run(configuration: configuration) { connection, number in
      _ = connection.read(until: Self.firstHead)
      connection.send(ScriptedServer.head(1) + ScriptedServer.message(1, [1]))
      let start = ContinuousClock.now
      _ = connection.read(until: ping)
      pinged.withLock { $0.append(ContinuousClock.now - start) }
      connection.send(
        RawConnection.frame(
          7, flags: 0, stream: 0, [0, 0, 0, 1, 0, 0, 0, 11] + Array("too_many_pings".utf8)))
    } _: { client in
      for _ in 0..<4 {
        let (code, message) = await Self.code {
          try await client.serverStreaming(Echo.count, [1]) { for try await _ in $0 {} }
        }
        #expect(code == .unavailable && message.contains("too_many_pings"), "\(message)")
        try await Task.sleep(for: .milliseconds(5))
      }
    }
    let times = pinged.withLock { $0 }
    #expect(times.count == 4)
    // 50, 100, 200, 400 ms, each up to twice that before the timer looks again.
    #expect(times.last ?? .zero >= .milliseconds(400))
  }
}

private func usleepBriefly() { usleep(30_000) }
