import Glibc
import RPC
import Reactor
import Synchronization
import Testing

@testable import RPCTransport

/// Hosts with several addresses.
@Suite(.timeLimit(.minutes(1))) struct ConnectionRaceTests {
  private static let echo = RPC.Method<[UInt8], [UInt8]>(
    service: "example.Service", name: "Echo", kind: .unary, request: .bytes, response: .bytes)

  /// A server at 127.0.0.1 and a client of its port at whatever addresses the host is found to have.
  private func withServer(
    delay: Duration = .milliseconds(20), addresses: @escaping @Sendable () -> [String],
    _ body: (RPCClient, _ port: Int) async throws -> Void
  ) async throws {
    var router = ServiceRouter()
    router.handle(Self.echo) { (request: [UInt8], _) in request }
    let server = try RPCServer(router)
    let port = try await server.listen(plaintext: "127.0.0.1", port: 0)
    var configuration = ChannelConfiguration()
    configuration.backoff = .eager
    configuration.nextAddressDelay = delay
    // Longer than the tests may take: what is silent must be overtaken, not given up.
    configuration.connectTimeout = .seconds(600)
    configuration.lookUp = { _ in addresses() }
    let channel = try SocketChannel(
      .plaintext(host: "host.example", port: port), configuration: configuration)
    do { try await body(RPCClient(channel), port) } catch {
      await server.shutdown(grace: .zero)
      throw error
    }
    await server.shutdown(grace: .seconds(1))
  }

  @Test("Families alternate, and within one the order stays")
  func order() {
    func ordered(_ hosts: String...) -> [String] {
      ConnectionRace.alternating(hosts.map { .ip(host: $0, port: 1) }).map {
        if case .ip(let host, _) = $0 { return host }
        return "\($0)"
      }
    }
    #expect(
      ordered("2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2")
        == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2"])
    #expect(
      ordered("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1")
        == ["192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3"])
    #expect(ordered() == [])
  }

  @Test("An address that refuses is followed by the next at once")
  func refused() async throws {
    try await withServer(
      delay: .seconds(50), addresses: { ["127.0.0.2", "::1", "127.0.0.1"] }
    ) { (client, _) async throws in
      #expect(try await client.unary(Self.echo, [1]) == [1])
    }
  }

  @Test("An address that is silent is overtaken by the next, and let go")
  func silent() async throws {
    try await withServer(addresses: { ["127.0.0.2", "127.0.0.1"] }) { (client, port) async throws in
      let silent = try SilentListener("127.0.0.2", port: port)
      #expect(try await client.unary(Self.echo, [1]) == [1])
      #expect(silent.peerCloses(), "the attempt that lost was not closed")
    }
  }

  @Test("When no address answers, the error says what was wrong with each")
  func allFail() async throws {
    try await withServer(addresses: { ["127.0.0.2", "127.0.0.3"] }) { (client, port) async throws in
      let error = await #expect(throws: RPCError.self) { try await client.unary(Self.echo, [1]) }
      #expect(error?.code == .unavailable)
      #expect(
        error?.message == """
          tcp:host.example:\(port): 127.0.0.2: connect: Connection refused; \
          127.0.0.3: connect: Connection refused
          """)
    }
    try await withServer(addresses: { [] }) { (client, _) async throws in
      let error = await #expect(throws: RPCError.self) { try await client.unary(Self.echo, [1]) }
      #expect(error?.message.contains("no address") == true)
    }
  }

  @Test("Each attempt to connect looks the host up anew")
  func looksUpAgain() async throws {
    let asked = Atomic(0)
    try await withServer(addresses: {
      asked.add(1, ordering: .relaxed).newValue < 3 ? ["127.0.0.2"] : ["127.0.0.1"]
    }) { (client, _) async throws in
      let answer = try await client.unary(
        Self.echo, [1], options: CallOptions(timeout: .seconds(20), waitForReady: true))
      #expect(answer == [1])
      #expect(asked.load(ordering: .relaxed) == 3)
    }
  }
}

/// Takes TCP connections, as the kernel does for it, and never says a word.
private final class SilentListener {
  private let descriptor: Int32

  init(_ host: String, port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    inet_pton(AF_INET, host, &address.sin_addr)
    let listens = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
          && listen(descriptor, 4) == 0
      }
    }
    guard listens else { throw RPCError(.unavailable, "cannot listen on \(host):\(port)") }
  }

  deinit { close(descriptor) }

  /// Whether the one who has connected goes away within 10 seconds.
  func peerCloses() -> Bool {
    let accepted = accept(descriptor, nil, nil)
    defer { close(accepted) }
    var timeout = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(
      accepted, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(accepted, &buffer, buffer.count)
      if count <= 0 { return count == 0 || errno == ECONNRESET }
    }
  }
}
