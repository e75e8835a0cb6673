import Glibc
import Reactor
import Synchronization
import Testing

@testable import RPC
@testable import RPCTransport

/// When handlers begin, and in which task.
@Suite(.timeLimit(.minutes(1))) struct HandlerPoolTests {
  /// Lets calls with these messages come in together, on a loop of their own, and their handlers begin.
  ///
  /// - Parameters:
  ///   - comeIn: what happens when the calls are there, before their handlers begin.
  ///   - begun: what happens then.
  /// - Returns: the calls' streams.
  @discardableResult
  private func calls(
    _ method: RPC.Method<[UInt8], [UInt8]>, _ messages: [UInt8], _ router: ServiceRouter,
    comeIn: @escaping @Sendable ([RecordingStream]) -> Void = { _ in },
    begun: @escaping @Sendable (HandlerPool) -> Void = { _ in }
  ) async throws -> [RecordingStream] {
    let loop = try EventLoop()
    let streams: [RecordingStream] = await withCheckedContinuation { done in
      loop.run {
        let pool = HandlerPool(executor: loop)
        let streams = messages.map { RecordingStream(pool, $0) }
        for stream in streams { stream.call(method, router) }
        comeIn(streams)
        pool.run()
        begun(pool)
        pool.close()
        done.resume(returning: streams)
      }
    }
    loop.stop()
    return streams
  }

  private final class Notes: Sendable {
    private let notes = Mutex<[String]>([])
    func add(_ note: String) { notes.withLock { $0.append(note) } }
    var all: [String] { notes.withLock { $0 } }
  }

  private final class Held: @unchecked Sendable {
    // @unchecked: set before anybody reads it.
    weak var pool: HandlerPool?
  }

  private static func thisTask() -> Int { withUnsafeCurrentTask { $0.hashValue } }

  @Test("Handlers of calls that came together begin in their order, when all have been taken in")
  func order() async throws {
    let notes = Notes()
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], _) in
      notes.add("\(request[0])")
      return request
    }
    let streams = try await calls(Echo.unary, [0, 1, 2], router) { _ in notes.add("all are in") }
    #expect(notes.all == ["all are in", "0", "1", "2"])
    #expect(streams.map(\.answers) == [1, 1, 1])
  }

  @Test("Handlers that do not suspend share a task; one that does keeps its own")
  func tasks() async throws {
    let tasks = Mutex<[Int]>([])
    let waiter = Mutex<UnsafeContinuation<Void, Never>?>(nil)
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], _) in
      tasks.withLock { $0.append(Self.thisTask()) }
      if request[0] == 1 {
        await withUnsafeContinuation { handle in waiter.withLock { $0 = handle } }
      }
      return request
    }
    try await calls(Echo.unary, [0, 0, 1, 0, 0], router)
    let seen = tasks.withLock { $0 }
    try #require(seen.count == 5)
    #expect(seen[0] == seen[1] && seen[1] == seen[2])
    #expect(seen[3] == seen[4] && seen[2] != seen[3])
    waiter.withLock { $0 }?.resume()
  }

  @Test("The handler of a call that is over before it could begin does not begin")
  func overBefore() async throws {
    let notes = Notes()
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], _) in
      notes.add("\(request[0])")
      return request
    }
    try await calls(Echo.unary, [0, 1, 2], router) { $0[1].close() }
    #expect(notes.all == ["0", "2"])
  }

  @Test("A call that is cancelled while its handler runs does not cancel the next one")
  func cancelledAmid() async throws {
    let notes = Notes()
    var router = ServiceRouter()
    router.handle(Echo.count) { (request: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      let wasCancelled = Task.isCancelled
      try await writer.write(request)
      notes.add("\(request[0]) \(wasCancelled) \(Task.isCancelled)")
    }
    try await calls(Echo.count, [0, 1, 2], router) { streams in
      // As when the peer takes too little of what it asked for.
      streams[1].onAnswer = { streams[1].close() }
    }
    #expect(notes.all == ["0 false false", "1 false true", "2 false false"])
  }

  @Test("A pool that was closed is kept by nobody once its handlers have returned")
  func closed() async throws {
    let held = Held()
    let waiter = Mutex<UnsafeContinuation<Void, Never>?>(nil)
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], _) in
      if request[0] == 1 {
        await withUnsafeContinuation { handle in waiter.withLock { $0 = handle } }
      }
      return request
    }
    try await calls(Echo.unary, [0, 1, 0], router, begun: { held.pool = $0 })
    #expect(held.pool != nil)
    waiter.withLock { $0 }?.resume()
    for _ in 0..<400 where held.pool != nil { try await Task.sleep(for: .milliseconds(5)) }
    #expect(held.pool == nil)
  }

  @Test("What a handler's other tasks send goes out on the loop of the connection")
  func otherTasks() async throws {
    let loop = try EventLoop()
    defer { loop.stop() }
    let pool = HandlerPool(executor: loop)
    let onLoop = Mutex<[Bool]>([])
    var router = ServiceRouter()
    router.handle(Echo.count) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      let tasks = (0..<8).map { i in
        Task.detached {
          if i % 2 == 0 { return await Self.Writing(writer).write(50) }
          for _ in 0..<50 { try? await writer.write([1]) }
        }
      }
      for task in tasks { await task.value }
    }
    let served = router
    let stream = RecordingStream(pool, 1)
    stream.onAnswer = { onLoop.withLock { $0.append(loop.isCurrent) } }
    loop.run {
      stream.call(Echo.count, served)
      pool.run()
    }
    for _ in 0..<1000 where onLoop.withLock({ $0.count }) < 401 {
      try await Task.sleep(for: .milliseconds(5))
    }
    let seen = onLoop.withLock { $0 }
    // The last one ends the stream.
    #expect(seen.count == 401)
    #expect(seen.allSatisfy { $0 })
    loop.run { pool.close() }
  }

  /// Writes while it is isolated to itself.
  private actor Writing {
    let writer: ResponseWriter<[UInt8]>
    init(_ writer: ResponseWriter<[UInt8]>) { self.writer = writer }
    func write(_ count: Int) async {
      for _ in 0..<count { try? await writer.write([1]) }
    }
  }

  @Test("Ten thousand calls that wait at once are all answered, over and over")
  func many() async throws {
    let waiting = Mutex<[UnsafeContinuation<Void, Never>]>([])
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], _) in
      await withUnsafeContinuation { waiter in waiting.withLock { $0.append(waiter) } }
      return request
    }
    let served = router
    let loop = try EventLoop()
    defer { loop.stop() }
    let pool = HandlerPool(executor: loop)
    for _ in 0..<3 {
      let streams: [RecordingStream] = await withCheckedContinuation { done in
        loop.run {
          let streams = (0..<10_000).map { _ in RecordingStream(pool, 1) }
          for stream in streams { stream.call(Echo.unary, served) }
          pool.run()
          let waiters = waiting.withLock { waiters in
            defer { waiters = [] }
            return waiters
          }
          for waiter in waiters { waiter.resume() }
          // Behind the handlers, which go on one after another.
          loop.run { loop.run { done.resume(returning: streams) } }
        }
      }
      #expect(streams.allSatisfy { $0.answers == 1 })
    }
    loop.run { pool.close() }
  }
}
