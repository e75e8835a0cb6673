import RPC
import RPCTransport
import Synchronization
import Testing

/// What one method allows, over every transport and protocol.
@Suite(.timeLimit(.minutes(1))) struct MethodLimitTests {
  private static func router(_ limits: MethodLimits) -> ServiceRouter {
    var router = Echo.router()
    router.limit(Echo.unary, limits)
    router.limit(Echo.chat, limits)
    return router
  }

  @Test("A request larger than its method takes is refused, other methods take it")
  func size() async throws {
    for transport in [Transport.unix, .unixWeb, .unixConnect, .unixGzip, .inProcess] {
      try await transport.withClient(Self.router(MethodLimits(requestMessageBytes: 100))) {
        client in
        let fits = [UInt8](repeating: 1, count: 100)
        #expect(try await client.unary(Echo.unary, fits) == fits)
        let error = await #expect(throws: RPCError.self) {
          try await client.unary(Echo.unary, [UInt8](repeating: 1, count: 101))
        }
        #expect(error?.code == .resourceExhausted, "\(transport): \(String(describing: error))")
        _ = try await client.unary(Echo.peer, [UInt8](repeating: 1, count: 1000))
      }
    }
  }

  @Test("A call that takes longer than its method allows ends, whatever its caller allows")
  func time() async throws {
    let limits = MethodLimits(timeout: .milliseconds(100))
    try await Transport.unix.withClient(Self.router(limits)) { client in
      for timeout in [nil, Duration.seconds(20)] {
        let error = await #expect(throws: RPCError.self) {
          try await client.unary(
            Echo.unary, Array("sleep".utf8), options: CallOptions(timeout: timeout))
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(error?.message.contains("this method allows") == true)
      }
      let answer = try await client.unary(Echo.unary, [1])
      #expect(answer == [1])
    }
  }

  @Test("A request that does not come is given up in the time of its method")
  func slowRequest() async throws {
    try await withServer(Self.router(MethodLimits(timeout: .milliseconds(100)))) { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        HostileFrameTests.hello
          + RawConnection.frame(1, flags: 4, stream: 1, RawConnection.echoRequest))
      // RST_STREAM with NO_ERROR, after an answer that came before the end of the request.
      #expect(connection.read(until: RawConnection.frame(3, flags: 0, stream: 1, [0, 0, 0, 0])))
    }
  }

  @Test("More calls at once than a method takes are refused until one has ended")
  func concurrency() async throws {
    try await Transport.unix.withClient(Self.router(MethodLimits(concurrentCalls: 2))) { client in
      for _ in 0..<3 {
        try await client.bidirectional(Echo.chat) { first, firstAnswers in
          try await client.bidirectional(Echo.chat) { second, secondAnswers in
            // An answer proves that the call is counted.
            var answers = firstAnswers.makeAsyncIterator()
            try await first.write([1])
            let echoed = try await answers.next()
            #expect(echoed == [1, 1])
            var others = secondAnswers.makeAsyncIterator()
            try await second.write([2])
            let other = try await others.next()
            #expect(other == [2, 2])
            let error = await #expect(throws: RPCError.self) {
              try await client.bidirectional(Echo.chat) { third, answers in
                try await third.finish()
                for try await _ in answers {}
              }
            }
            #expect(error?.code == .resourceExhausted)
            // Another method has its own count.
            let unary = try await client.unary(Echo.unary, [1])
            #expect(unary == [1])
            try await second.finish()
            while try await others.next() != nil {}
            try await first.finish()
            while try await answers.next() != nil {}
          }
        }
      }
    }
  }

  @Test("A handler that does not mind cancellation counts until it returns")
  func stubborn() async throws {
    let gate = Gate()
    var router = Echo.router()
    router.handle(Echo.method("Stubborn", .unary)) { (request: [UInt8], call) in
      if request == [1] { await gate.wait() }
      return request
    }
    let method = Echo.method("Stubborn", .unary)
    router.limit(method, MethodLimits(concurrentCalls: 1))
    try await Transport.unix.withClient(router) { client in
      let late = await #expect(throws: RPCError.self) {
        try await client.unary(method, [1], options: CallOptions(timeout: .seconds(2)))
      }
      #expect(late?.code == .deadlineExceeded)
      let refused = await #expect(throws: RPCError.self) { try await client.unary(method, [2]) }
      #expect(refused?.code == .resourceExhausted)
      gate.open()
      for _ in 0..<500 {
        if (try? await client.unary(method, [2])) == [2] { return }
        try await Task.sleep(for: .milliseconds(10))
      }
      Issue.record("the place was not given back")
    }
  }
}

/// Holds back who waits until it is opened, also when they are cancelled.
final class Gate: Sendable {
  private let isOpen = Atomic(false)

  func open() { isOpen.store(true, ordering: .relaxed) }

  func wait() async {
    while !isOpen.load(ordering: .relaxed) {
      await Task { try? await Task.sleep(for: .milliseconds(5)) }.value
    }
  }
}
