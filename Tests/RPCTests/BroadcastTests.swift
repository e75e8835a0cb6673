import Reactor
import Synchronization
import Testing

@testable import RPC
@testable import RPCTransport

/// Messages for everyone who follows.
@Suite(.timeLimit(.minutes(1))) struct BroadcastTests {
  private static let carriers: [Transport] = [
    .inProcess, .unix, .tls13, .unixGzip, .unixWeb, .unixConnect,
  ]

  private struct Followed {
    let broadcast: Broadcast<[UInt8]>
    let router: ServiceRouter

    init(
      kept: Int = 1024, newestFirst: Bool = false, limits: CallLimits = CallLimits(),
      fromElsewhere: Bool = false
    ) {
      let broadcast = Broadcast<[UInt8]>(codec: .bytes, kept: kept)
      var router = ServiceRouter(compressions: .standard)
      router.limits = limits
      router.handle(Echo.count) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, call) in
        await call.sendInitialMetadata()
        if fromElsewhere {
          try await Task.detached { try await writer.follow(broadcast) }.value
        } else {
          try await writer.follow(broadcast, newestFirst: newestFirst)
        }
      }
      self.broadcast = broadcast
      self.router = router
    }

    func wait(followers: Int) async throws {
      while broadcast.followerCount != followers { try await Task.sleep(for: .milliseconds(1)) }
    }
  }

  private static func collect(
    _ client: RPCClient, until enough: @escaping @Sendable ([UInt8]) -> Bool = { _ in false }
  ) async throws -> [[UInt8]] {
    try await client.serverStreaming(Echo.count, [1]) { stream in
      var seen: [[UInt8]] = []
      for try await message in stream {
        seen.append(message)
        if enough(message) { break }
      }
      return seen
    }
  }

  @Test(
    "Everyone gets every message that is sent after they began, in order", arguments: carriers,
    [false, true])
  func everyone(_ transport: Transport, fromElsewhere: Bool) async throws {
    let followed = Followed(fromElsewhere: fromElsewhere)
    try followed.broadcast.send([99])
    try await transport.withClient(followed.router) { client in
      try await withThrowingTaskGroup(of: [[UInt8]].self) { group in
        for _ in 0..<5 { group.addTask { try await Self.collect(client) } }
        try await followed.wait(followers: 5)
        for i in 0..<200 { try followed.broadcast.send([UInt8(i), 7]) }
        followed.broadcast.finish()
        for try await seen in group { #expect(seen == (0..<200).map { [UInt8($0), 7] }) }
      }
      #expect(followed.broadcast.followerCount == 0)
    }
  }

  @Test("A message is put into JSON once, however many follow in JSON")
  func json() async throws {
    let encodings = Atomic(0)
    let bytes = MessageCodec<[UInt8]>.bytes
    let codec = MessageCodec<[UInt8]>(
      decode: bytes.decode, encode: bytes.encode, decodeJSON: bytes.decodeJSON,
      encodeJSON: { message, buffer in
        encodings.add(1, ordering: .relaxed)
        buffer += Array("{\"n\":\(message[0])}".utf8)
      })
    let broadcast = Broadcast<[UInt8]>(codec: codec)
    let method = Method<[UInt8], [UInt8]>(
      service: "test.S", name: "Follow", kind: .serverStreaming, request: .bytes, response: codec)
    var router = ServiceRouter(compressions: .standard)
    router.handle(method) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      try await writer.follow(broadcast)
    }
    let client = HTTPClient(InProcessChannel(router))
    let request = HTTPRequest(
      method: "POST", path: method.path,
      fields: HeaderFields(["content-type": "application/connect+json"]),
      body: [0, 0, 0, 0, 2] + Array("{}".utf8))
    try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
      for _ in 0..<20 {
        group.addTask { try await client.send(request, timeout: .seconds(20)) }
      }
      while broadcast.followerCount != 20 { try await Task.sleep(for: .milliseconds(1)) }
      for number in 1...3 { try broadcast.send([UInt8(number)]) }
      broadcast.finish()
      for try await response in group {
        let text = String(decoding: response.body, as: UTF8.self)
        for number in 1...3 { #expect(text.contains("{\"n\":\(number)}")) }
      }
    }
    #expect(encodings.load(ordering: .relaxed) == 3)
  }

  @Test("Who begins with the newest message gets that and then all newer ones", arguments: carriers)
  func newestFirst(_ transport: Transport) async throws {
    let followed = Followed(kept: 1, newestFirst: true)
    try followed.broadcast.send([1])
    try followed.broadcast.send([2])
    try await transport.withClient(followed.router) { client in
      let broadcast = followed.broadcast
      let seen = try await Self.collect(client) { message in
        if message == [2] { try? broadcast.send([3]) }
        return message == [3]
      }
      #expect(seen == [[2], [3]])
    }
  }

  @Test("What a broadcast is finished with is what its followers' calls end with")
  func finished() async throws {
    let followed = Followed(newestFirst: true)
    try await Transport.unix.withClient(followed.router) { client in
      let early = Task { try await Self.collect(client) }
      try await followed.wait(followers: 1)
      try followed.broadcast.send([5])
      followed.broadcast.finish(throwing: RPCError(.unavailable, "no more"))
      try followed.broadcast.send([6])
      var error = await #expect(throws: RPCError.self) { try await early.value }
      #expect(error?.code == .unavailable && error?.message == "no more")
      // Whoever comes later gets the newest, and the same end.
      let seen = Mutex<[[UInt8]]>([])
      error = await #expect(throws: RPCError.self) {
        try await Self.collect(client) { message in
          seen.withLock { $0.append(message) }
          return false
        }
      }
      #expect(error?.code == .unavailable)
      #expect(seen.withLock { $0 } == [[5]])
    }
  }

  @Test("A follower that leaves is forgotten, and the others go on", arguments: carriers)
  func leaves(_ transport: Transport) async throws {
    let followed = Followed()
    try await transport.withClient(followed.router) { client in
      async let staying = Self.collect(client)
      try await followed.wait(followers: 1)
      let leaving = Task { try await Self.collect(client) }
      try await followed.wait(followers: 2)
      leaving.cancel()
      try await followed.wait(followers: 1)
      try followed.broadcast.send([4])
      followed.broadcast.finish()
      let seen = try await staying
      #expect(seen == [[4]])
    }
  }

  @Test("Who begins to follow while the last other follower is lost gets what comes then")
  func lastOneLost() async throws {
    let loop = try EventLoop()
    defer { loop.stop() }
    let followed = Followed()
    let streams: [RecordingStream] = await withCheckedContinuation { done in
      loop.run {
        let pool = HandlerPool(executor: loop)
        let streams = (0..<2).map { _ in RecordingStream(pool, 1) }
        streams[0].call(Echo.count, followed.router)
        pool.run()
        // As when its peer takes too little: the message that waits for it is its end.
        streams[0].onAnswer = { streams[0].close() }
        try? followed.broadcast.send([1])
        streams[1].call(Echo.count, followed.router)
        pool.run()
        loop.run { done.resume(returning: streams) }
      }
    }
    #expect(followed.broadcast.followerCount == 1)
    try followed.broadcast.send([2])
    followed.broadcast.finish()
    try await followed.wait(followers: 0)
    await withCheckedContinuation { done in loop.run { loop.run { done.resume() } } }
    // The message and the end.
    #expect(streams[1].sent >= 2)
  }

  @Test("A reader that is slow holds nobody up, and goes on with the oldest message kept")
  func slowReader() async throws {
    var limits = CallLimits()
    limits.responseBufferBytes = 32 << 10
    let followed = Followed(kept: 4, limits: limits)
    let count = 400
    try await Transport.unix.withClient(followed.router) { client in
      let mayRead = Atomic(false)
      async let slow = client.serverStreaming(Echo.count, [1]) { stream in
        var numbers: [Int] = []
        for try await message in stream {
          numbers.append(Int(message[0]) << 8 | Int(message[1]))
          while !mayRead.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(1)) }
        }
        return numbers
      }
      try await followed.wait(followers: 1)
      let newest = Atomic(-1)
      async let fast = client.serverStreaming(Echo.count, [1]) { stream in
        var numbers: [Int] = []
        for try await message in stream {
          numbers.append(Int(message[0]) << 8 | Int(message[1]))
          newest.store(numbers.last ?? -1, ordering: .releasing)
        }
        return numbers
      }
      try await followed.wait(followers: 2)
      for i in 0..<count {
        let message = [UInt8(i >> 8), UInt8(i & 255)] + [UInt8](repeating: 0, count: 64 << 10)
        try followed.broadcast.send(message)
        // The fast one gets each, whatever the slow one does.
        while newest.load(ordering: .acquiring) < i { try await Task.sleep(for: .milliseconds(1)) }
      }
      mayRead.store(true, ordering: .releasing)
      followed.broadcast.finish()
      let all = try await fast
      #expect(all == Array(0..<count))
      let seen = try await slow
      #expect(seen.count < count)
      #expect(seen == seen.sorted() && Set(seen).count == seen.count)
      #expect(Array(seen.suffix(4)) == Array(count - 4..<count))
    }
  }

  @Test(
    "With a history, who begins after a version or falls behind gets what that has, then what is sent",
    arguments: [false, true])
  func history(skips: Bool) async throws {
    /// Message i is the state of thing i % 3; its version is i + 1.
    let newest = Mutex<[UInt64: UInt64]>([:])
    let broadcast = Broadcast<[UInt8]>(codec: .bytes, kept: 8, skips: skips) { after, limit in
      let states = newest.withLock { $0 }.values.filter { $0 > after }.sorted().prefix(limit)
      return try states.map { ($0, try Self.message($0)) }
    }
    func send(_ version: UInt64) throws {
      newest.withLock { $0[version % 3] = version }
      broadcast.send(try Self.message(version), at: version)
    }
    for version in 1...100 as ClosedRange<UInt64> { try send(version) }
    var router = ServiceRouter()
    router.limits.responseBufferBytes = 32 << 10
    router.handle(Echo.count) { (request: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      try await writer.follow(broadcast, after: UInt64(request[0]))
    }
    try await Transport.unix.withClient(router) { client in
      func begin(after version: UInt8) async throws -> [UInt8] {
        try await client.serverStreaming(Echo.count, [version]) { stream in
          var seen: [UInt8] = []
          for try await message in stream {
            seen.append(message[0])
            if message[0] == 100 { break }
          }
          return seen
        }
      }
      #expect(try await begin(after: 0) == [98, 99, 100])
      #expect(try await begin(after: 98) == [99, 100])
      while broadcast.followerCount > 0 { try await Task.sleep(for: .milliseconds(1)) }
      let mayRead = Atomic(false)
      async let slow = client.serverStreaming(Echo.count, [100]) { stream in
        var seen: [UInt8] = []
        for try await message in stream {
          seen.append(message[0])
          while !mayRead.load(ordering: .acquiring) { try await Task.sleep(for: .milliseconds(1)) }
        }
        return seen
      }
      while broadcast.followerCount < 1 { try await Task.sleep(for: .milliseconds(1)) }
      for version in 101...250 as ClosedRange<UInt64> { try send(version) }
      mayRead.store(true, ordering: .releasing)
      broadcast.finish()
      let seen = try await slow
      #expect(seen.count < 100 && seen == seen.sorted() && Set(seen).count == seen.count)
      #expect(seen.suffix(3) == [248, 249, 250])
    }
  }

  private static func message(_ version: UInt64) throws -> EncodedMessage<[UInt8]> {
    try EncodedMessage(
      [UInt8(version)] + [UInt8](repeating: 0, count: 64 << 10), codec: .bytes)
  }

  @Test("Messages of the handler stay before and after those of the broadcast")
  func ownMessages() async throws {
    let broadcast = Broadcast<[UInt8]>(codec: .bytes)
    var router = ServiceRouter()
    router.handle(Echo.count) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      try await writer.write([1])
      try await writer.follow(broadcast)
      try await writer.write([3])
    }
    try await Transport.unix.withClient(router) { client in
      let seen = try await Self.collect(client) { message in
        if message == [1] {
          Task {
            while broadcast.followerCount == 0 { await Task.yield() }
            try broadcast.send([2])
            broadcast.finish()
          }
        }
        return false
      }
      #expect(seen == [[1], [2], [3]])
    }
  }

  @Test("A call follows one broadcast at a time, and may follow another one then")
  func oneAtATime() async throws {
    let first = Broadcast<[UInt8]>(codec: .bytes)
    let second = Broadcast<[UInt8]>(codec: .bytes)
    let refused = Atomic(false)
    var router = ServiceRouter()
    router.handle(Echo.count) { (_: [UInt8], writer: ResponseWriter<[UInt8]>, _) in
      async let following: Void = writer.follow(first)
      while first.followerCount == 0 { await Task.yield() }
      do { try await writer.follow(second) } catch let error as RPCError {
        refused.store(error.code == .internalError, ordering: .releasing)
      }
      try first.send([1])
      first.finish()
      try await following
      try second.send([9])
      second.finish()
      try await writer.follow(second, newestFirst: true)
    }
    try await Transport.unix.withClient(router) { client in
      let seen = try await Self.collect(client)
      #expect(seen == [[1], [9]])
    }
    let wasRefused = refused.load(ordering: .acquiring)
    #expect(wasRefused)
  }
}
