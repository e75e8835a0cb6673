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

  @Test(
    "A handler's scope ends although one of its tasks still waits for requests", arguments: carriers
  )
  func readerLeft(_ transport: Transport) async throws {
    let ends = InterceptorTests.Log()
    var router = ServiceRouter(compressions: .standard)
    router.handle(Echo.sum) { (requests: RequestStream<[UInt8]>, _) -> [UInt8] in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          var iterator = requests.makeAsyncIterator()
          do {
            while let request = try await iterator.next() {
              ends.add("\(request)")
            }
            ends.add("complete")
          } catch { ends.add("\(type(of: error))") }
        }
        while ends.all.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
        // What has come is not lost to a reader that comes after one that was cancelled.
        group.cancelAll()
        try await group.waitForAll()
        throw RPCError(.alreadyExists, "enough")
      }
    }
    try await transport.withClient(router) { client in
      let error = await #expect(throws: RPCError.self) {
        try await client.clientStreaming(
          Echo.sum, options: CallOptions(timeout: .seconds(20))
        ) { requests in
          try await requests.write([7])
          // Never finished by this side.
          try await Task.sleep(for: .milliseconds(300))
        }
      }
      #expect(error?.code == .alreadyExists)
    }
    #expect(ends.all == ["[7]", "CancellationError"])
  }

  @Test(
    "A handler's scope ends although one of its tasks still waits for room",
    arguments: [
      Transport.unix, .inProcess, .tls13,
    ])
  func writerLeft(_ transport: Transport) async throws {
    var router = ServiceRouter()
    let ended = InterceptorTests.Log()
    let left = Flag()
    router.handle(Echo.count) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          do {
            while true { try await writer.write([UInt8](repeating: 1, count: 64 << 10)) }
          } catch { ended.add("\((error as? RPCError)?.code.name ?? "\(error)")") }
        }
        try await Task.sleep(for: .milliseconds(200))
        group.cancelAll()
        try await group.waitForAll()
      }
      left.set()
    }
    try await transport.withClient(router) { client in
      try await client.serverStreaming(Echo.count, [1]) { responses in
        // Reads nothing until the handler has gone.
        try await left.wait()
        for try await _ in responses {}
      }
    }
    #expect(ended.all == ["CANCELLED"])
  }

  @Test("An unfinished request is not taken for a whole one by a task that outlives the call")
  func lostRequest() async throws {
    let ends = InterceptorTests.Log()
    let began = Flag()
    let reading = Mutex<Task<Void, Never>?>(nil)
    var router = ServiceRouter()
    router.handle(Echo.sum) { (requests: RequestStream<[UInt8]>, _) -> [UInt8] in
      let task = Task {
        var count = 0
        do {
          for try await _ in requests {
            count += 1
            began.set()
          }
          ends.add("complete")
        } catch { ends.add("\(type(of: error)) after \(count)") }
      }
      reading.withLock { $0 = task }
      await task.value
      return []
    }
    try await Transport.unix.withClient(router) { client in
      let call = Task {
        try await client.clientStreaming(Echo.sum) { requests in
          try await requests.write([1])
          try await Task.sleep(for: .seconds(60))
        }
      }
      try await began.wait()
      call.cancel()
      _ = try? await call.value
      let task = try #require(reading.withLock { $0 })
      await task.value
    }
    #expect(ends.all == ["CancellationError after 1"])
  }

  @Test(
    "A request that has come whole and was not read to its end is not complete once the call is over"
  )
  func unreadRequest() async throws {
    let ends = InterceptorTests.Log()
    var router = ServiceRouter()
    router.handle(Echo.sum) { (requests: RequestStream<[UInt8]>, _) -> [UInt8] in
      var iterator = requests.makeAsyncIterator()
      _ = try await iterator.next()
      try? await Task.sleep(for: .seconds(60))
      // A task that is not cancelled reads on.
      let reading = iterator
      await Task {
        var iterator = reading
        do {
          while try await iterator.next() != nil { ends.add("message") }
          ends.add("complete")
        } catch { ends.add("\(type(of: error))") }
      }.value
      return []
    }
    try await Transport.unix.withClient(router) { client in
      let error = await #expect(throws: RPCError.self) {
        try await client.clientStreaming(
          Echo.sum, options: CallOptions(timeout: .milliseconds(300))
        ) { requests in
          for i: UInt8 in 0..<5 { try await requests.write([i]) }
        }
      }
      #expect(error?.code == .deadlineExceeded)
      while ends.all.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
    }
    #expect(ends.all == ["CancellationError"])
  }

  @Test("An interceptor learns how a call ended before its handler")
  func outcome() async throws {
    struct Outcomes: ServerInterceptor {
      let seen: @Sendable (String) -> Void
      func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
        do {
          try await next()
          seen("returned \(call.outcome.map { $0.code.name } ?? "-")")
        } catch {
          seen("threw \(call.outcome.map { $0.code.name } ?? "-")")
          throw error
        }
      }
    }
    let seen = Mutex<[String]>([])
    var router = ServiceRouter(interceptors: [
      Outcomes { line in seen.withLock { $0.append(line) } }
    ])
    router.handle(Echo.unary) { (request: [UInt8], _) -> [UInt8] in
      switch request {
      case [0]: return []
      case [1]: throw RPCError(.notFound, "no")
      case [2]: try await Task.sleep(for: .seconds(60))
      default: try? await Task.sleep(for: .seconds(60))
      }
      return []
    }
    router.limit(Echo.unary, MethodLimits(timeout: .seconds(1)))
    try await Transport.unix.withClient(router) { client in
      for request: UInt8 in 0..<2 { _ = try? await client.unary(Echo.unary, [request]) }
      for request: UInt8 in 2..<4 {
        _ = try? await client.unary(Echo.unary, [request])
        while seen.withLock({ $0.count }) <= request { try await Task.sleep(for: .milliseconds(1)) }
      }
      for request: UInt8 in 2..<4 {
        let call = Task { try await client.unary(Echo.unary, [request]) }
        try await Task.sleep(for: .milliseconds(100))
        call.cancel()
        while seen.withLock({ $0.count }) <= request + 2 {
          try await Task.sleep(for: .milliseconds(1))
        }
      }
    }
    #expect(
      seen.withLock { $0 } == [
        "returned -", "threw -", "threw DEADLINE_EXCEEDED", "returned DEADLINE_EXCEEDED",
        "threw CANCELLED", "returned CANCELLED",
      ])
  }

  @Test("A malformed request is the interceptors' business too")
  func malformed() async throws {
    struct Codes: ServerInterceptor {
      let seen: @Sendable (StatusCode?) -> Void
      func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
        do { try await next() } catch {
          seen((error as? RPCError)?.code)
          throw error
        }
      }
    }
    struct Unreadable: Error {}
    let seen = Mutex<[StatusCode?]>([])
    var router = ServiceRouter(interceptors: [Codes { code in seen.withLock { $0.append(code) } }])
    let codec = MessageCodec<[UInt8]>(
      decode: { (_: borrowing Span<UInt8>) throws -> [UInt8] in throw Unreadable() },
      encode: { _, _ in }, decodeJSON: { (_: borrowing Span<UInt8>) in [] }, encodeJSON: { _, _ in }
    )
    let method = RPC.Method<[UInt8], [UInt8]>(
      service: "test.Echo", name: "Unary", kind: .unary, request: codec, response: .bytes)
    router.handle(method) { (request: [UInt8], _) in request }
    try await Transport.unix.withClient(router) { client in
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
      #expect(seen.withLock { $0 } == [error?.code])
    }
  }

  @Test("A status is sent without what is beside its code rather than not at all")
  func largeStatus() async throws {
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], call) -> [UInt8] in
      let size = Int(request[0]) * 1000
      if request[1] == 1 {
        call.addTrailingMetadata(Metadata(["x": String(repeating: "x", count: size)]))
        return []
      }
      throw RPCError(
        .alreadyExists, String(repeating: "x", count: size),
        details: [StatusDetail(typeURL: "type.googleapis.com/x.Y", value: [1])])
    }
    router.handle(Echo.count) { (request: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      try await writer.write([1])
      throw RPCError(.alreadyExists, String(repeating: "x", count: Int(request[0]) * 1000))
    }
    for carrier in Self.carriers where carrier != .inProcess {
      try await carrier.withClient(router) { client in
        for size: UInt8 in [1, 17, 70] {
          let error = await #expect(throws: RPCError.self) {
            try await client.unary(Echo.unary, [size, 0])
          }
          #expect(error?.code == .alreadyExists, "\(size) kB by \(carrier)")
          let streamed = await #expect(throws: RPCError.self) {
            try await client.serverStreaming(Echo.count, [size]) { for try await _ in $0 {} }
          }
          #expect(streamed?.code == .alreadyExists, "\(size) kB by \(carrier)")
        }
      }
    }
    try await Transport.unix.withClient(router) { client in
      _ = try await client.unary(Echo.unary, [1, 1])
      let error = await #expect(throws: RPCError.self) {
        try await client.unary(Echo.unary, [17, 1])
      }
      #expect(error?.code == .resourceExhausted)
    }
  }
}
