import Glibc
import RPC
import RPCTransport
import Synchronization
import TestSupport
import Testing

/// Whatever stands on the wire, the server answers by the book, keeps its memory, and goes on
/// serving others.
@Suite(.serialized) struct HostilePeerTests {
  /// Lets the peer misbehave, then makes a proper call.
  func survives(
    configuration: ServerConfiguration = ServerConfiguration(),
    _ misbehave: (String, RPCServer) async throws -> Void
  ) async throws {
    try await withServer(Echo.router(), configuration: configuration) { path, server in
      try await misbehave(path, server)
      let client = RPCClient(try SocketChannel(.unix(path: path)))
      #expect(try await client.unary(Echo.unary, [7]) == [7])
    }
  }

  static func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var total = 0
    var resident = 0
    withUnsafeMutablePointer(to: &total) { total in
      withUnsafeMutablePointer(to: &resident) { resident in
        _ = withVaList([total, resident]) { vfscanf(file, "%ld %ld", $0) }
      }
    }
    return resident * 4096
  }

  @Test("Bytes that are not HTTP/2 close the connection")
  func garbage() async throws {
    let seed = RandomSeed()
    var generator = seed.generator
    try await survives { path, _ in
      for _ in 0..<20 {
        let connection = try RawConnection(path)
        connection.send((0..<4096).map { _ in UInt8.random(in: 0...255, using: &generator) })
        #expect(connection.readToEnd() != nil, "\(seed)")
      }
      let http1 = try RawConnection(path)
      http1.send(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
      #expect(http1.readToEnd() != nil)
    }
  }

  @Test("Random frames behind a good preface do no harm")
  func randomFrames() async throws {
    // What goes wrong is seen behind the body, or ends the process: the seed is told before.
    let seed = RandomSeed()
    print(seed)
    var generator = seed.generator
    try await survives { path, _ in
      for _ in 0..<50 {
        let connection = try RawConnection(path)
        connection.send(RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, []))
        for _ in 0..<20 {
          let payload = (0..<Int.random(in: 0...64, using: &generator)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
          }
          let isOpen = connection.send(
            RawConnection.frame(
              UInt8.random(in: 0...12, using: &generator),
              flags: UInt8.random(in: 0...255, using: &generator),
              stream: UInt32.random(in: 0...9, using: &generator), payload))
          if !isOpen { break }
        }
      }
    }
  }

  @Test("A peer that never finishes its preface is closed in time")
  func slowPreface() async throws {
    var configuration = ServerConfiguration()
    configuration.handshakeTimeout = .milliseconds(100)
    try await survives(configuration: configuration) { path, _ in
      let connection = try RawConnection(path)
      connection.send(Array(RawConnection.preface.prefix(10)))
      #expect(connection.readToEnd() != nil)
    }
  }

  @Test(
    "A header block over the limit is answered in the protocol of the request",
    arguments: [
      ("application/grpc", "200", true), ("application/grpc-web+proto", "200", true),
      ("application/json", "431", false),
    ])
  func headerBomb(type: String, status: String, isGRPC: Bool) async throws {
    try await survives { path, _ in
      for isLate in [false, true] {
        let frames = try Self.answerToLargeHead(path, type: type, isLate: isLate)
        let answer = try RawConnection.answer(frames)
        #expect(answer.fields[":status"] == status)
        #expect(answer.fields["grpc-status"] == (isGRPC ? "8" : nil))
        // Trailers-Only: the head is the end.
        #expect(answer.body.isEmpty == isGRPC)
        let words = answer.fields["grpc-message"] ?? String(decoding: answer.body, as: UTF8.self)
        #expect(words.contains("larger than the limit of 16384 bytes: send less metadata"))
        #expect(isGRPC || words.contains("\"code\":\"resource_exhausted\""))
      }
    }
  }

  /// - Parameter isLate: the content type stands behind what is too much.
  private static func answerToLargeHead(
    _ path: String, type: String, isLate: Bool
  ) throws -> [RawConnection.Frame] {
    let connection = try RawConnection(path)
    let start = RawConnection.fields([
      (":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/Unary"), (":authority", "x"),
    ])
    let type = RawConnection.fields([("content-type", type)])
    let large = RawConnection.fields(
      (0..<14).map { ("x-header-\($0)", String(repeating: "a", count: 1400)) })
    let block = start + (isLate ? large + type : type + large)
    connection.send(
      HostileFrameTests.hello
        + RawConnection.frame(1, flags: 0, stream: 1, Array(block.prefix(16384)))
        + RawConnection.frame(9, flags: 4, stream: 1, Array(block.dropFirst(16384))))
    return connection.frames { $0.flags & 1 != 0 && $0.type < 2 }
  }

  /// The frames of a header block, each as large as frames may be.
  private static func headFrames(_ block: [UInt8]) -> [UInt8] {
    var frames: [UInt8] = []
    for start in stride(from: 0, to: block.count, by: 16384) {
      let piece = Array(block[start..<min(block.count, start + 16384)])
      let isLast = start + 16384 >= block.count
      frames += RawConnection.frame(
        start == 0 ? 1 : 9, flags: isLast ? 4 : 0, stream: 1, piece)
    }
    return frames
  }

  @Test("A server that allows large metadata takes it, in as many frames as that needs")
  func largeHead() async throws {
    var configuration = ServerConfiguration()
    configuration.maxHeaderBytes = 512 << 10
    try await survives(configuration: configuration) { path, _ in
      let connection = try RawConnection(path)
      let metadata = RawConnection.fields(
        (0..<8).map { ("x-header-\($0)", String(repeating: "a", count: 60_000)) })
      connection.send(
        HostileFrameTests.hello + Self.headFrames(RawConnection.echoRequest + metadata)
          + RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 1, 7]))
      let answer = try RawConnection.answer(connection.frames { $0.flags & 1 != 0 && $0.type < 2 })
      #expect(answer.fields["grpc-status"] == "0")
    }
  }

  @Test("A field above 64 KiB ends the connection, whatever a header block may hold")
  func largeField() async throws {
    for limit in [16 << 10, 512 << 10] {
      var configuration = ServerConfiguration()
      configuration.maxHeaderBytes = limit
      try await survives(configuration: configuration) { path, _ in
        let connection = try RawConnection(path)
        let field = RawConnection.fields([("x-header", String(repeating: "a", count: 70_000))])
        connection.send(
          HostileFrameTests.hello + Self.headFrames(RawConnection.echoRequest + field))
        // COMPRESSION_ERROR: nghttp2 decodes no longer one.
        #expect(HostileFrameTests.endsWith(9, connection.readToEnd()))
      }
    }
  }

  @Test("A flood of CONTINUATION frames ends the connection")
  func continuationFlood() async throws {
    try await survives { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, [])
          + RawConnection.frame(1, flags: 0, stream: 1, RawConnection.echoRequest))
      let piece = RawConnection.frame(
        9, flags: 0, stream: 1, RawConnection.fields([("x", String(repeating: "b", count: 100))]))
      for _ in 0..<100_000 where !connection.send(piece) { break }
      #expect(connection.readToEnd() != nil)
    }
  }

  @Test("Streams opened and reset at once end the connection, and cost no memory")
  func rapidReset() async throws {
    let before = Self.residentBytes()
    try await survives { path, _ in
      let connection = try RawConnection(path)
      connection.send(RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, []))
      for i in 0..<100_000 {
        let id = UInt32(i * 2 + 1)
        let isOpen = connection.send(
          RawConnection.frame(1, flags: 4, stream: id, RawConnection.echoRequest)
            + RawConnection.frame(3, flags: 0, stream: id, [0, 0, 0, 8]))
        if !isOpen { break }
      }
      #expect(connection.readToEnd() != nil)
    }
    #expect(Self.residentBytes() - before < 64 << 20)
  }

  @Test("Floods of PING and SETTINGS from a peer that reads nothing end the connection")
  func acknowledgementFlood() async throws {
    let before = Self.residentBytes()
    try await survives { path, _ in
      for frame in [
        RawConnection.frame(6, flags: 0, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8]),
        RawConnection.frame(4, flags: 0, stream: 0, [0, 4, 0, 0, 255, 255]),
      ] {
        let connection = try RawConnection(path)
        connection.send(RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, []))
        let many = Array(repeating: frame, count: 1000).flatMap { $0 }
        var isOpen = true
        for _ in 0..<2000 where isOpen { isOpen = connection.send(many) }
        #expect(!isOpen, "the flood was taken to its end")
      }
    }
    #expect(Self.residentBytes() - before < 64 << 20)
  }

  @Test("A reader that takes nothing holds the writer, not the memory")
  func slowReader() async throws {
    let before = Self.residentBytes()
    try await survives { path, _ in
      Echo.written.store(0, ordering: .relaxed)
      let connection = try RawConnection(path)
      let request = RawConnection.fields([
        (":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/Flood"),
        (":authority", "x"), ("content-type", "application/grpc"),
      ])
      connection.send(
        RawConnection.preface
          + RawConnection.frame(4, flags: 0, stream: 0, [0, 4, 0x7f, 0xff, 0xff, 0xff])
          + RawConnection.frame(8, flags: 0, stream: 0, [0x7f, 0, 0, 0])
          + RawConnection.frame(1, flags: 4, stream: 1, request)
          + RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 0]))
      // Until it stands still: the writer waits.
      var early = -1
      for _ in 0..<200 where early != Echo.written.load(ordering: .relaxed) || early == 0 {
        early = Echo.written.load(ordering: .relaxed)
        try await Task.sleep(for: .milliseconds(200))
      }
      #expect(early > 0 && early < 5000, "\(early) KiB were written to a reader that takes nothing")
      #expect(Echo.written.load(ordering: .relaxed) == early)
    }
    #expect(Self.residentBytes() - before < 32 << 20)
  }

  @Test("Many half-sent requests are refused before they fill the memory")
  func halfSentRequests() async throws {
    var configuration = ServerConfiguration()
    configuration.heldBytesPerConnection = 1 << 20
    // Other threads of this process come and go with their memory; what these requests take they take each time.
    var least = Int.max
    for _ in 0..<3 where least >= 32 << 20 {
      let before = Self.residentBytes()
      try await sendHalf(500, configuration)
      least = min(least, Self.residentBytes() - before)
    }
    #expect(least < 32 << 20)
  }

  /// Begins so many requests of 3 MB each and sends 16 kB of each.
  private func sendHalf(_ count: Int, _ configuration: ServerConfiguration) async throws {
    try await survives(configuration: configuration) { path, _ in
      let connection = try RawConnection(path)
      connection.send(RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, []))
      let envelope: [UInt8] = [0, 0, 0x30, 0, 0] + [UInt8](repeating: 9, count: 16_000)
      for i in 0..<count {
        let id = UInt32(i * 2 + 1)
        connection.send(
          RawConnection.frame(1, flags: 4, stream: id, RawConnection.echoRequest)
            + RawConnection.frame(0, flags: 0, stream: id, envelope))
      }
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Waits for a condition that must come true, however busy the machine is.
  func eventually(_ isTrue: () -> Bool) async throws {
    for _ in 0..<1000 where !isTrue() { try await Task.sleep(for: .milliseconds(10)) }
    #expect(isTrue())
  }

  @Test("A handler is cancelled when its client goes away")
  func abandonedCall() async throws {
    let started = Atomic(0)
    let cancelled = Atomic(0)
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], call) in
      started.add(1, ordering: .relaxed)
      do { try await Task.sleep(for: .seconds(60)) } catch {
        cancelled.add(1, ordering: .relaxed)
        throw error
      }
      return request
    }
    try await withServer(router) { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, [])
          + RawConnection.frame(1, flags: 4, stream: 1, RawConnection.echoRequest)
          + RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 0])
          + RawConnection.frame(1, flags: 4, stream: 3, RawConnection.echoRequest)
          + RawConnection.frame(0, flags: 1, stream: 3, [0, 0, 0, 0, 0]))
      try await eventually { started.load(ordering: .relaxed) == 2 }
      connection.send(RawConnection.frame(3, flags: 0, stream: 1, [0, 0, 0, 8]))
      try await eventually { cancelled.load(ordering: .relaxed) == 1 }
    }
    // The second went with its connection.
    try await eventually { cancelled.load(ordering: .relaxed) == 2 }
  }

  @Test("A graceful end lets calls under way finish and takes no new ones")
  func gracefulEnd() async throws {
    let started = Atomic(0)
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], call) in
      started.add(1, ordering: .relaxed)
      try await Task.sleep(for: .milliseconds(300))
      return request
    }
    try await withServer(router) { path, server in
      let client = RPCClient(try SocketChannel(.unix(path: path)))
      async let answer = client.unary(Echo.unary, [5])
      try await eventually { started.load(ordering: .relaxed) == 1 }
      await server.shutdown(grace: .seconds(30))
      #expect(try await answer == [5])
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [5]) }
      #expect(error?.code == .unavailable)
    }
  }
}
