import Crypto
import Glibc
import RPC
import RPCTransport
import Synchronization
import Testing

/// Peers that keep to the form of frames and mean harm. While they do, a proper client on another
/// connection is served without a fault.
@Suite(.serialized) struct HostileFrameTests {
  /// Runs the body while a proper client makes one call after the other.
  func whileServing(
    _ router: ServiceRouter = Echo.router(),
    configuration: ServerConfiguration = ServerConfiguration(), memory: Int = 48 << 20,
    _ misbehave: (String, RPCServer) async throws -> Void
  ) async throws {
    try await withServer(router, configuration: configuration) { path, server in
      let client = RPCClient(try SocketChannel(.unix(path: path)))
      _ = try await client.unary(Echo.unary, [0])
      let before = HostilePeerTests.residentBytes()
      let proper = ProperClient(client)
      do {
        defer { proper.stop() }
        try await misbehave(path, server)
      }
      #expect(try await proper.served() > 0)
      let grown = HostilePeerTests.residentBytes() - before
      #expect(grown < memory, "\(grown >> 20) MiB more than before")
    }
  }

  static let hello =
    RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, [])

  static func call(_ name: String) -> [UInt8] {
    RawConnection.fields([
      (":method", "POST"), (":scheme", "http"), (":path", "/test.Echo/\(name)"),
      (":authority", "x"), ("content-type", "application/grpc"), ("te", "trailers"),
    ])
  }

  /// Whether the connection ended with a GOAWAY of that code.
  static func endsWith(_ code: UInt8, _ bytes: [UInt8]?) -> Bool {
    guard let bytes else { return false }
    var at = 0
    var found = false
    while at + 9 <= bytes.count {
      let length = Int(bytes[at]) << 16 | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2])
      if bytes[at + 3] == 7, at + 17 <= bytes.count { found = bytes[at + 16] == code }
      at += 9 + length
    }
    return found
  }

  @Test(
    "A flood of frames that do nothing ends the connection",
    arguments: [
      RawConnection.frame(2, flags: 0, stream: 1, [0, 0, 0, 0, 200]),
      RawConnection.frame(2, flags: 0, stream: 99, [0, 0, 0, 7, 200]),
      RawConnection.frame(0, flags: 0, stream: 1, []),
      RawConnection.frame(0x7f, flags: 0, stream: 0, []),
    ])
  func idleFlood(frame: [UInt8]) async throws {
    try await whileServing { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        Self.hello + RawConnection.frame(1, flags: 4, stream: 1, RawConnection.echoRequest))
      let many = Array(repeating: frame, count: 1000).flatMap { $0 }
      for _ in 0..<1000 where !connection.send(many) { break }
      #expect(Self.endsWith(0xb, connection.readToEnd()))
    }
  }

  @Test("Responses that nobody takes are kept up to a limit")
  func zeroWindow() async throws {
    var router = Echo.router()
    router.handle(Echo.method("Large", .unary)) { (request: [UInt8], call) in
      [UInt8](repeating: 1, count: 1 << 20)
    }
    var configuration = ServerConfiguration()
    configuration.waitingBytesPerConnection = 8 << 20
    configuration.waitingBytes = 12 << 20
    try await whileServing(router, configuration: configuration) { path, _ in
      let connections = try (0..<4).map { _ in try RawConnection(path) }
      for connection in connections {
        connection.send(
          Self.hello + RawConnection.frame(4, flags: 0, stream: 0, [0, 4, 0, 0, 0, 0]))
        for i in 0..<100 {
          let id = UInt32(i * 2 + 1)
          connection.send(
            RawConnection.frame(1, flags: 4, stream: id, Self.call("Large"))
              + RawConnection.frame(0, flags: 1, stream: id, [0, 0, 0, 0, 0]))
        }
        // Once the last is refused all have been worked on.
        #expect(
          connection.read(until: RawConnection.frame(3, flags: 0, stream: 199, [0, 0, 0, 11])))
      }
    }
  }

  @Test("Credit by single bytes is used as it comes and holds up nobody")
  func drippingWindow() async throws {
    try await whileServing { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        Self.hello + RawConnection.frame(4, flags: 0, stream: 0, [0, 4, 0, 0, 0, 0])
          + RawConnection.frame(1, flags: 4, stream: 1, Self.call("Flood"))
          + RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 0]))
      let drip = RawConnection.frame(8, flags: 0, stream: 1, [0, 0, 0, 1])
      var received = 0
      for _ in 0..<50 {
        connection.send(Array(repeating: drip, count: 100).flatMap { $0 })
        received += connection.readSome()
      }
      // All the credit is used, and a frame costs its head.
      for _ in 0..<1000 where received < 5000 {
        received += connection.readSome()
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(received >= 5000)
    }
  }

  @Test("Windows that are changed for a thousand streams over and over hold up nobody")
  func changingWindows() async throws {
    try await whileServing { path, _ in
      let connection = try RawConnection(path)
      connection.send(Self.hello)
      for i in 0..<1000 {
        connection.send(
          RawConnection.frame(
            1, flags: 4, stream: UInt32(i * 2 + 1), RawConnection.echoRequest))
      }
      let change =
        RawConnection.frame(4, flags: 0, stream: 0, [0, 4, 0x7f, 0xff, 0xff, 0xff])
        + RawConnection.frame(4, flags: 0, stream: 0, [0, 4, 0, 0, 0, 0])
      for _ in 0..<40 {
        if !connection.send(Array(repeating: change, count: 100).flatMap { $0 }) { break }
        connection.readSome()
      }
    }
  }

  @Test("A header block that the table makes large is refused without being kept")
  func indexedBomb() async throws {
    try await whileServing { path, _ in
      let connection = try RawConnection(path)
      connection.send(Self.hello)
      // One field of 4000 bytes goes into the table; each byte after it stands for it.
      let value = [UInt8](repeating: 0x61, count: 4000)
      let field: [UInt8] = [0x40, 1, 0x78, 127, 0xa1, 0x1e] + value
      let bomb = RawConnection.echoRequest + field + [UInt8](repeating: 0xbe, count: 12_000)
      for i in 0..<40 {
        connection.send(RawConnection.frame(1, flags: 5, stream: UInt32(i * 2 + 1), bomb))
      }
      // Every one was refused by itself, and the connection lives.
      let answer = try RawConnection.answer(connection.frames { $0.type == 1 })
      #expect(answer.fields["grpc-status"] == "8")
      connection.send(RawConnection.frame(6, flags: 0, stream: 0, Array("fine now".utf8)))
      #expect(connection.read(until: Array("fine now".utf8)))
    }
  }

  @Test("Many small fields are refused by their number")
  func manyFields() async throws {
    try await whileServing { path, _ in
      let connection = try RawConnection(path)
      let small = RawConnection.fields((0..<600).map { _ in ("a", "") })
      connection.send(
        Self.hello
          + RawConnection.frame(1, flags: 5, stream: 1, RawConnection.echoRequest + small))
      let answer = try RawConnection.answer(connection.frames { $0.type == 1 })
      #expect(answer.fields["grpc-status"] == "8")
    }
  }

  @Test("A table whose size is changed in every block costs nothing")
  func tableGames() async throws {
    try await whileServing { path, _ in
      let connection = try RawConnection(path)
      connection.send(Self.hello)
      let resize: [UInt8] = [0x20, 0x3f, 0xe1, 0x1f]
      for i in 0..<900 {
        let id = UInt32(i * 2 + 1)
        connection.send(
          RawConnection.frame(1, flags: 4, stream: id, resize + RawConnection.echoRequest)
            + RawConnection.frame(0, flags: 1, stream: id, [0, 0, 0, 0, 0]))
        connection.readSome()
      }
      connection.send(RawConnection.frame(6, flags: 0, stream: 0, Array("fine now".utf8)))
      #expect(connection.read(until: Array("fine now".utf8)))
    }
  }

  @Test("A header block that does not end closes the connection in time")
  func slowHead() async throws {
    var configuration = ServerConfiguration()
    configuration.handshakeTimeout = .milliseconds(300)
    try await whileServing(configuration: configuration) { path, _ in
      let open = RawConnection.frame(1, flags: 0, stream: 1, RawConnection.echoRequest)
      for begun in [open, Array(open.dropLast(20)), Array(open.prefix(9))] {
        let connection = try RawConnection(path)
        connection.send(Self.hello + begun)
        #expect(Self.endsWith(0xb, connection.readToEnd()))
      }
      // Whoever ends its block may then take its time.
      let slow = try RawConnection(path)
      slow.send(Self.hello + open)
      slow.send(RawConnection.frame(9, flags: 4, stream: 1, []))
      try await Task.sleep(for: .milliseconds(700))
      slow.send(RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 0]))
      #expect(
        slow.read(until: RawConnection.frame(0, flags: 0, stream: 1, [0, 0, 0, 0, 0])))
    }
  }

  @Test("A body that does not come ends with its deadline, or with the greatest age")
  func slowBody() async throws {
    var configuration = ServerConfiguration()
    configuration.maxAge = .milliseconds(300)
    configuration.maxAgeGrace = .milliseconds(200)
    try await withServer(Echo.router(), configuration: configuration) { path, server in
      let connection = try RawConnection(path)
      connection.send(
        Self.hello + RawConnection.frame(1, flags: 4, stream: 1, RawConnection.echoRequest)
          + RawConnection.frame(0, flags: 0, stream: 1, [0, 0]))
      #expect(connection.readToEnd() != nil)
      for _ in 0..<1000 where server.connectionCount > 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(server.connectionCount == 0)
    }
  }

  @Test("A TLS handshake that does not end closes the connection in time")
  func slowHandshake() async throws {
    var configuration = ServerConfiguration()
    configuration.handshakeTimeout = .milliseconds(200)
    let tls = try TestTLS(.kubernetes)
    try await whileServing(configuration: configuration) { _, server in
      let port = try await server.listen(host: "127.0.0.1", port: 0) { tls.server }
      for bytes in [[], [0x16], [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]] as [[UInt8]] {
        let connection = try RawConnection(port: port)
        connection.send(bytes)
        #expect(connection.readToEnd() != nil)
      }
    }
  }

  @Test("A connection that is half closed is closed, and its call cancelled")
  func halfClosed() async throws {
    let cancelled = Atomic(0)
    var router = Echo.router()
    router.handle(Echo.method("Wait", .unary)) { (request: [UInt8], call) in
      do { try await Task.sleep(for: .seconds(60)) } catch {
        cancelled.add(1, ordering: .relaxed)
        throw error
      }
      return request
    }
    try await whileServing(router) { path, server in
      let request =
        Self.hello + RawConnection.frame(1, flags: 4, stream: 1, Self.call("Wait"))
        + RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 0])
      let others = server.connectionCount
      for end in [request.count, request.count - 3, 30, 10, 0] {
        let connection = try RawConnection(path)
        connection.send(Array(request[..<end]))
        connection.endWriting()
        #expect(connection.readToEnd() != nil)
      }
      for _ in 0..<1000
      where server.connectionCount > others || cancelled.load(ordering: .relaxed) == 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(server.connectionCount == others)
      #expect(cancelled.load(ordering: .relaxed) == 1)
    }
  }

  @Test(
    "Pings that end the connection amid a batch of frames leave the rest of the batch without effect",
    arguments: [
      RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 1, 7]),
      RawConnection.frame(1, flags: 5, stream: 3, RawConnection.echoRequest),
      RawConnection.frame(3, flags: 0, stream: 1, [0, 0, 0, 8]),
    ])
  func pingsAmidFrames(rest: [UInt8]) async throws {
    try await whileServing { path, _ in
      for _ in 0..<50 {
        let connection = try RawConnection(path)
        let pings = Array(
          repeating: RawConnection.frame(6, flags: 0, stream: 0, [UInt8](repeating: 0, count: 8)),
          count: 9
        ).flatMap { $0 }
        connection.send(
          Self.hello + RawConnection.frame(1, flags: 4, stream: 1, RawConnection.echoRequest)
            + RawConnection.frame(0, flags: 0, stream: 1, [0, 0, 0]) + pings + rest)
        #expect(Self.endsWith(0xb, connection.readToEnd()))
      }
    }
  }

  @Test("Streams over the limit, opened by a peer that reads no refusal, end the connection")
  func refusals() async throws {
    var configuration = ServerConfiguration()
    configuration.maxConcurrentStreams = 50
    try await whileServing(configuration: configuration) { path, _ in
      let connection = try RawConnection(path)
      connection.send(Self.hello)
      var id: UInt32 = 1
      var isOpen = true
      for _ in 0..<200 where isOpen {
        var frames: [UInt8] = []
        for _ in 0..<1000 {
          frames += RawConnection.frame(1, flags: 4, stream: id, RawConnection.echoRequest)
          id += 2
        }
        isOpen = connection.send(frames)
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(!isOpen)
    }
  }
}

/// Makes one call after the other until it is stopped.
final class ProperClient: Sendable {
  private let isOver = Atomic(false)
  private let task = Mutex<Task<Int, any Error>?>(nil)

  init(_ client: RPCClient) {
    let made = Task {
      var served = 0
      repeat {
        let answer = try await client.unary(
          Echo.unary, [1, 2], options: CallOptions(timeout: .seconds(20)))
        #expect(answer == [1, 2])
        served += 1
        try await Task.sleep(for: .milliseconds(1))
      } while !self.isOver.load(ordering: .relaxed)
      return served
    }
    task.withLock { $0 = made }
  }

  func stop() { isOver.store(true, ordering: .relaxed) }

  /// How many calls were answered.
  /// - Throws: what a call failed with.
  func served() async throws -> Int { try await task.withLock { $0 }?.value ?? 0 }
}
