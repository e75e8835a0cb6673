import RPC
import RPCTransport
import Synchronization
import Testing

/// Calls as structured concurrency: what ends with what.
@Suite(.timeLimit(.minutes(1))) struct CallScopeTests {
  private static let carriers: [Transport] = [.inProcess, .unix, .unixWeb, .unixConnect]

  /// Becomes true once, from anywhere.
  private final class Flag: Sendable {
    private let value = Atomic(false)
    func set() { value.store(true, ordering: .releasing) }
    func wait() async throws {
      while !value.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  @Test("Leaving the client's scope cancels the handler", arguments: carriers)
  func clientLeaves(_ transport: Transport) async throws {
    let cancelled = Flag()
    var router = ServiceRouter(compressions: .standard)
    router.handle(Echo.count) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      try await writer.write([1])
      do { try await Task.sleep(for: .seconds(600)) } catch {
        cancelled.set()
        throw error
      }
    }
    try await transport.withClient(router) { client in
      let first = try await client.serverStreaming(Echo.count, []) { stream in
        var iterator = stream.makeAsyncIterator()
        return try await iterator.next()
      }
      #expect(first == [1])
      try await cancelled.wait()
    }
  }

  @Test("Cancelling the caller's task cancels the handler", arguments: carriers)
  func callerCancelled(_ transport: Transport) async throws {
    let started = Flag()
    let cancelled = Flag()
    var router = ServiceRouter(compressions: .standard)
    router.handle(Echo.unary) { (_: [UInt8], _) -> [UInt8] in
      started.set()
      do { try await Task.sleep(for: .seconds(600)) } catch {
        cancelled.set()
        throw error
      }
      return []
    }
    try await transport.withClient(router) { client in
      let task = Task { try await client.unary(Echo.unary, [1]) }
      try await started.wait()
      task.cancel()
      let error = await #expect(throws: RPCError.self) { try await task.value }
      #expect(error?.code == .cancelled)
      try await cancelled.wait()
    }
  }

  @Test(
    "A handler is told that its call is over before it is, once, wherever it asked for that",
    arguments: carriers, [false, true])
  func toldOfCancellation(_ transport: Transport, fromElsewhere: Bool) async throws {
    let told = RetryTests.Counter()
    let returned = Flag()
    var router = ServiceRouter(compressions: .standard)
    router.handle(Echo.count) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, call) in
      try await writer.write([1])
      await withCheckedContinuation { isOver in
        let ask: @Sendable () -> Void = {
          call.whenCancelled {
            _ = told.next()
            isOver.resume()
          }
        }
        if fromElsewhere { Task.detached { ask() } } else { ask() }
      }
      returned.set()
    }
    try await transport.withClient(router) { client in
      _ = try await client.serverStreaming(Echo.count, []) { stream in
        var iterator = stream.makeAsyncIterator()
        return try await iterator.next()
      }
      try await returned.wait()
      #expect(told.count == 1)
    }
  }

  @Test(
    "A deadline that passes tells the handler, also one that asks after it", arguments: carriers)
  func toldOfDeadline(_ transport: Transport) async throws {
    let told = RetryTests.Counter()
    let returned = Flag()
    var router = ServiceRouter(compressions: .standard)
    router.handle(Echo.unary) { (_: [UInt8], call) -> [UInt8] in
      for _ in 0..<2 {
        await withCheckedContinuation { isOver in
          call.whenCancelled {
            _ = told.next()
            isOver.resume()
          }
        }
      }
      returned.set()
      return []
    }
    try await transport.withClient(router) { client in
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(
          Echo.unary, [1], options: CallOptions(timeout: .milliseconds(500)))
      }
      #expect(error?.code == .deadlineExceeded)
      try await returned.wait()
      #expect(told.count == 2)
    }
  }

  @Test("A handler that has returned or thrown is not told that its call is over")
  func notToldAfterwards() async throws {
    let told = RetryTests.Counter()
    let kept = Mutex<[ServerCall]>([])
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], call) in
      call.whenCancelled { _ = told.next() }
      kept.withLock { $0.append(call) }
      if request == [1] { throw RPCError(.aborted, "no") }
      return request
    }
    try await Transport.unix.withClient(router) { client in
      _ = try await client.unary(Echo.unary, [2])
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
      #expect(error?.code == .aborted)
      for call in kept.withLock({ $0 }) { call.whenCancelled { _ = told.next() } }
      _ = try await client.unary(Echo.unary, [3])
    }
    #expect(told.count == 0)
  }

  @Test("Leaving the handler's scope ends the stream: a writer kept beyond it writes no more")
  func handlerLeaves() async throws {
    let kept = Mutex<ResponseWriter<[UInt8]>?>(nil)
    var router = ServiceRouter()
    router.handle(Echo.chat) {
      (_: RequestStream<[UInt8]>, writer: ResponseWriter<[UInt8]>, _) in
      try await writer.write([1])
      kept.withLock { $0 = writer }
    }
    try await Transport.unix.withClient(router) { client in
      try await client.bidirectional(Echo.chat) { writer, stream in
        var messages: [[UInt8]] = []
        for try await message in stream { messages.append(message) }
        #expect(messages == [[1]])
        let error = await #expect(throws: RPCError.self) { try await writer.write([2]) }
        #expect(error?.code == .cancelled)
      }
      let writer = try #require(kept.withLock { $0 })
      let error = await #expect(throws: RPCError.self) { try await writer.write([2]) }
      #expect(error?.code == .cancelled)
    }
  }

  @Test(
    "A handler that takes no requests holds the client's writer",
    arguments: [
      Transport.unix, .tls13, .inProcess,
    ])
  func clientBackpressure(_ transport: Transport) async throws {
    let goOn = Flag()
    var router = ServiceRouter()
    router.handle(Echo.sum) { (requests: RequestStream<[UInt8]>, _) in
      try await goOn.wait()
      var count = 0
      for try await request in requests { count += request.count }
      return Array("\(count)".utf8)
    }
    let written = RetryTests.Counter()
    try await transport.withClient(router) { client in
      async let answer = client.clientStreaming(Echo.sum) { writer in
        for _ in 0..<2000 {
          try await writer.write([UInt8](repeating: 1, count: 16 << 10))
          _ = written.next()
        }
      }
      // Until it does not move any more.
      var last = -1
      while last != written.count || last < 1 {
        last = written.count
        try await Task.sleep(for: .milliseconds(200))
      }
      #expect(last < 200, "\(last) messages of 16 KiB went to a reader that takes none")
      goOn.set()
      #expect(try await answer == Array("\(2000 * (16 << 10))".utf8))
    }
  }

  @Test("A call made within a call inherits its deadline, and may only shorten it")
  func inheritedDeadline() async throws {
    let deadlines = Mutex<[ContinuousClock.Instant?]>([])
    var inner = ServiceRouter()
    inner.handle(Echo.unary) { (request: [UInt8], call) in
      deadlines.withLock { $0.append(call.deadline) }
      return request
    }
    let innerClient = RPCClient(InProcessChannel(inner))
    var outer = ServiceRouter()
    outer.handle(Echo.unary) { (request: [UInt8], call) -> [UInt8] in
      deadlines.withLock { $0.append(call.deadline) }
      _ = try await innerClient.unary(Echo.unary, request)
      // A task of the handler's own works for the same call.
      async let child = innerClient.unary(Echo.unary, request)
      _ = try await child
      for timeout in [Duration.seconds(1), .seconds(1000)] {
        _ = try await innerClient.unary(
          Echo.unary, request, options: CallOptions(timeout: timeout))
      }
      return request
    }
    let client = RPCClient(InProcessChannel(outer))
    let began = ContinuousClock.now
    _ = try await client.unary(Echo.unary, [], options: CallOptions(timeout: .seconds(100)))
    let all = deadlines.withLock { $0 }
    try #require(all.count == 5)
    let given = try all.map { try #require($0) - began }
    // What the wire rounds up, and what the call takes until its deadline is set, is little.
    for (i, expected) in [100.0, 100, 100, 1, 100].enumerated() {
      #expect(given[i] > .seconds(expected - 1) && given[i] < .seconds(expected + 20), "call \(i)")
    }
    deadlines.withLock { $0 = [] }
    _ = try await client.unary(Echo.unary, [])
    #expect(deadlines.withLock { $0[0] == nil && $0[1] == nil && $0[3] != nil })
  }

  @Test(
    "An interceptor that leaves the handler out ends a unary call with INTERNAL",
    arguments: carriers)
  func leftOut(_ transport: Transport) async throws {
    struct Silent: ServerInterceptor {
      func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {}
    }
    var router = ServiceRouter(interceptors: [Silent()])
    router.handle(Echo.unary) { (request: [UInt8], _) in request }
    try await transport.withClient(router) { client in
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
      #expect(error?.code == .internalError)
    }
  }

  @Test("A second reader of a request stream fails, and the first reads on")
  func twoReaders() async throws {
    var router = ServiceRouter()
    router.handle(Echo.chat) {
      (requests: RequestStream<[UInt8]>, writer: ResponseWriter<[UInt8]>, _) in
      let ends = await withTaskGroup(of: String.self) { group in
        for _ in 0..<2 {
          group.addTask {
            var iterator = requests.makeAsyncIterator()
            do { return "\(try await iterator.next() ?? [])" } catch {
              return "\((error as? RPCError)?.code ?? .ok)"
            }
          }
        }
        let first = await group.next() ?? "nothing"
        try? await writer.write([0])
        return [first, await group.next() ?? "nothing"]
      }
      try await writer.write(Array(ends.joined(separator: ", ").utf8))
    }
    try await Transport.unix.withClient(router) { client in
      try await client.bidirectional(Echo.chat) { writer, stream in
        var iterator = stream.makeAsyncIterator()
        #expect(try await iterator.next() == [0])
        try await writer.write([7])
        let ends = try await iterator.next() ?? []
        #expect(String(decoding: ends, as: UTF8.self) == "\(StatusCode.internalError), [7]")
      }
    }
  }
}
