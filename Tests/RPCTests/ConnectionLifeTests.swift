import Glibc
import RPC
import RPCTransport
import Synchronization
import Testing

/// When connections begin, are kept alive, and end.
@Suite(.timeLimit(.minutes(1))) struct ConnectionLifeTests {
  @Test("A call that waits for a connection is made when the server is there")
  func waitForReady() async throws {
    try await withServer(Echo.router()) { path, server in
      let late = path + ".late"
      var configuration = ChannelConfiguration()
      configuration.backoff = .eager
      let client = RPCClient(try SocketChannel(.unix(path: late), configuration: configuration))
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
      #expect(error?.code == .unavailable)
      async let answer = client.unary(
        Echo.unary, [2], options: CallOptions(timeout: .seconds(10), waitForReady: true))
      try await Task.sleep(for: .milliseconds(50))
      try await server.listen(unix: late)
      #expect(try await answer == [2])
    }
  }

  @Test("While attempts to connect pause, calls fail at once with the last reason")
  func backoff() async throws {
    let client = RPCClient(try SocketChannel(.unix(path: "/tmp/omnid-test-no-such-socket")))
    for _ in 0..<3 {
      let started = ContinuousClock.now
      let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
      #expect(error?.code == .unavailable)
      #expect(error?.message.contains("No such file") == true, "\(String(describing: error))")
      #expect(ContinuousClock.now - started < .seconds(10))
    }
  }

  @Test("A channel connects anew after its connection was lost")
  func reconnect() async throws {
    try await withServer(Echo.router()) { path, server in
      let client = RPCClient(try SocketChannel(.unix(path: path)))
      _ = try await client.unary(Echo.unary, [1])
      server.closeConnections()
      try await Task.sleep(for: .milliseconds(50))
      #expect(try await client.unary(Echo.unary, [2]) == [2])
    }
  }

  @Test(
    "A channel that is closed lets its calls finish, takes no new ones, and lets go of the server")
  func close() async throws {
    try await withServer(Echo.router()) { path, server in
      let channel = try SocketChannel(.unix(path: path))
      let client = RPCClient(channel)
      try await client.bidirectional(Echo.chat) { writer, stream in
        var iterator = stream.makeAsyncIterator()
        try await writer.write([1])
        #expect(try await iterator.next() == [1, 1])
        channel.close()
        let error = await #expect(throws: RPCError.self) {
          try await client.unary(
            Echo.unary, [1], options: CallOptions(timeout: .seconds(20), waitForReady: true))
        }
        #expect(error?.code == .unavailable && error?.message.contains("closed") == true)
        try await writer.write([2])
        #expect(try await iterator.next() == [2, 2])
        try await writer.finish()
        #expect(try await iterator.next() == nil)
      }
      for _ in 0..<1000 where server.connectionCount > 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(server.connectionCount == 0)
    }
  }

  @Test("A channel that nobody holds lets go of the server")
  func abandoned() async throws {
    try await withServer(Echo.router()) { path, server in
      do {
        let client = RPCClient(try SocketChannel(.unix(path: path)))
        #expect(try await client.unary(Echo.unary, [1]) == [1])
      }
      for _ in 0..<1000 where server.connectionCount > 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(server.connectionCount == 0)
    }
  }

  @Test("An idle connection is drained after its time, and the client does not notice")
  func idle() async throws {
    var configuration = ServerConfiguration()
    // Long enough for a client on a busy machine to make its first call.
    configuration.maxIdle = .seconds(1)
    try await withServer(Echo.router(), configuration: configuration) { path, server in
      let client = RPCClient(try SocketChannel(.unix(path: path)))
      _ = try await client.unary(Echo.unary, [1])
      for _ in 0..<1000 where server.connectionCount > 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(server.connectionCount == 0)
      #expect(try await client.unary(Echo.unary, [2]) == [2])
    }
  }

  @Test("A connection of great age is drained, its call finishes, and new ones find another")
  func age() async throws {
    var configuration = ServerConfiguration()
    configuration.maxAge = .milliseconds(100)
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], call) in
      try await Task.sleep(for: .milliseconds(300))
      return request
    }
    try await withServer(router, configuration: configuration) { path, server in
      let client = RPCClient(try SocketChannel(.unix(path: path)))
      async let first = client.unary(Echo.unary, [1])
      try await Task.sleep(for: .milliseconds(200))
      async let second = client.unary(Echo.unary, [2])
      #expect(try await first == [1])
      #expect(try await second == [2])
    }
  }

  @Test("Calls that are answered together while the server drains all get their answers")
  func answeredTogether() async throws {
    let waiting = Mutex<[UnsafeContinuation<Void, Never>]>([])
    var router = ServiceRouter()
    router.handle(Echo.unary) { (request: [UInt8], call) in
      await withUnsafeContinuation { waiter in waiting.withLock { $0.append(waiter) } }
      return request
    }
    try await withServer(router) { path, server in
      let client = RPCClient(try SocketChannel(.unix(path: path)))
      try await withThrowingTaskGroup(of: [UInt8].self) { group in
        for i: UInt8 in 0..<5 { group.addTask { try await client.unary(Echo.unary, [i]) } }
        while waiting.withLock({ $0.count }) < 5 { try await Task.sleep(for: .milliseconds(1)) }
        async let down: Void = server.shutdown(grace: .seconds(20))
        // The client has to have heard of it.
        try await Task.sleep(for: .milliseconds(100))
        for waiter in waiting.withLock({ $0 }) { waiter.resume() }
        var answers: [[UInt8]] = []
        for try await answer in group { answers.append(answer) }
        #expect(answers.map { $0[0] }.sorted() == [0, 1, 2, 3, 4])
        await down
      }
    }
  }

  @Test("A peer that is silent although it was pinged is closed")
  func keepalive() async throws {
    var configuration = ServerConfiguration()
    configuration.keepaliveInterval = .milliseconds(50)
    configuration.keepaliveTimeout = .seconds(2)
    try await withServer(Echo.router(), configuration: configuration) { path, server in
      let silent = try RawConnection(path)
      silent.send(RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, []))
      #expect(silent.readToEnd() != nil)
      // A client that answers stays.
      let client = RPCClient(try SocketChannel(.unix(path: path)))
      _ = try await client.unary(Echo.unary, [1])
      try await Task.sleep(for: .milliseconds(300))
      #expect(server.connectionCount == 1)
    }
  }

  @Test("A client notices that its server has gone silent")
  func clientKeepalive() async throws {
    var configuration = ChannelConfiguration()
    configuration.keepaliveInterval = .milliseconds(50)
    configuration.keepaliveTimeout = .milliseconds(50)
    let silent = try SilentServer()
    let client = RPCClient(
      try SocketChannel(
        .plaintext(host: "127.0.0.1", port: silent.port), configuration: configuration))
    let error = await #expect(throws: RPCError.self) { try await client.unary(Echo.unary, [1]) }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("no sign of life") == true, "\(String(describing: error))")
    silent.stop()
  }

  @Test("Too many pings end the connection with ENHANCE_YOUR_CALM")
  func tooManyPings() async throws {
    try await withServer(Echo.router()) { path, _ in
      let connection = try RawConnection(path)
      connection.send(RawConnection.preface + RawConnection.frame(4, flags: 0, stream: 0, []))
      for _ in 0..<10 {
        connection.send(RawConnection.frame(6, flags: 0, stream: 0, [0, 0, 0, 0, 0, 0, 0, 0]))
      }
      let answer = connection.readToEnd() ?? []
      #expect(String(decoding: answer, as: UTF8.self).contains("too_many_pings"))
    }
  }

  @Test("Connections over the limit are told so and closed, those below are served")
  func connectionLimit() async throws {
    var configuration = ServerConfiguration()
    configuration.maxConnections = 3
    try await withServer(Echo.router(), configuration: configuration) { path, _ in
      let clients = try (0..<3).map { _ in RPCClient(try SocketChannel(.unix(path: path))) }
      for client in clients { _ = try await client.unary(Echo.unary, [1]) }
      let extra = try RawConnection(path)
      let said = String(decoding: extra.readToEnd() ?? [], as: UTF8.self)
      #expect(said.hasSuffix("too many connections"))
      let refused = RPCClient(try SocketChannel(.unix(path: path)))
      let error = await #expect(throws: RPCError.self) { try await refused.unary(Echo.unary, [1]) }
      #expect(error?.code == .unavailable, "\(String(describing: error))")
      _ = try await clients[0].unary(Echo.unary, [1])
    }
  }

  @Test("A server that was shut down listens no more, and says so")
  func listensNoMore() async throws {
    let server = try RPCServer(Echo.router())
    await server.shutdown(grace: .zero)
    await server.shutdown(grace: .zero)
    await #expect(throws: (any Error).self) {
      try await server.listen(unix: "/tmp/omnid-test-none.sock")
    }
    await #expect(throws: (any Error).self) {
      try await server.listen(plaintext: "127.0.0.1", port: 0)
    }
  }
}

/// Completes the HTTP/2 handshake and then says nothing more.
final class SilentServer: Sendable {
  private let descriptor: Int32
  let port: Int

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    descriptor = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 1) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    guard bound else { throw RPCError(.unavailable, "cannot listen") }
    port = Int(UInt16(bigEndian: address.sin_port))
    Task.detached {
      let accepted = accept(listener, nil, nil)
      let settings = RawConnection.frame(4, flags: 0, stream: 0, [])
      _ = settings.withUnsafeBytes { write(accepted, $0.baseAddress, $0.count) }
    }
  }

  func stop() { close(descriptor) }
}
