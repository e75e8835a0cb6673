import Crypto
import Glibc
import RPC
import RPCTransport
import Synchronization
import Testing

/// Connections before they speak HTTP/2: what they cost, whom they hold up, and what they are told.
@Suite(.serialized) struct NewcomerTests {
  final class Reports: Sendable {
    private let all = Mutex<[ConnectionReport]>([])
    func add(_ report: ConnectionReport) { all.withLock { $0.append(report) } }
    func of(_ kind: ConnectionReport.Kind) -> [ConnectionReport] {
      all.withLock { $0.filter { $0.kind == kind } }
    }

    /// Waits for a report of the kind.
    func first(_ kind: ConnectionReport.Kind) async throws -> ConnectionReport? {
      for _ in 0..<500 where of(kind).isEmpty { try await Task.sleep(for: .milliseconds(10)) }
      return of(kind).first
    }
  }

  static func call(_ path: String) async throws -> [UInt8] {
    let client = RPCClient(try SocketChannel(.unix(path: path)))
    return try await client.unary(Echo.unary, [1], options: CallOptions(timeout: .seconds(20)))
  }

  @Test("A client of HTTP/1.1 is told what to do, on a Unix socket, on TCP and on TLS")
  func http1() async throws {
    let reports = Reports()
    let tls = try TestTLS(.kubernetes)
    try await withServer(Echo.router(), report: reports.add) { path, server in
      let plain = try await server.listen(plaintext: "127.0.0.1", port: 0)
      let encrypted = try await server.listen(host: "127.0.0.1", port: 0) { tls.server }
      for connection in [
        try RawConnection(path), try RawConnection(port: plain), try RawConnection(port: encrypted),
      ] {
        for piece in ["G", "ET / HTTP", "/1.1\r\nhost: x\r\n\r\n"] {
          connection.send(Array(piece.utf8))
        }
        let answer = String(decoding: try #require(connection.readToEnd()), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 505 "))
        #expect(answer.contains("HTTP/2"))
      }
      #expect(try await reports.first(.foreignProtocol)?.reason.hasPrefix("HTTP/1.1") == true)
      #expect(try await Self.call(path) == [1])
    }
  }

  @Test("A client that speaks something else counts until its connection is closed")
  func foreignCounts() async throws {
    try await withServer(Echo.router()) { path, server in
      let connection = try RawConnection(path)
      connection.send(Array("GET / HTTP/1.1\r\nhost: x\r\n\r\n".utf8))
      #expect(connection.readToEnd()?.isEmpty == false)
      #expect(server.connectionCount == 1)
      for _ in 0..<500 where server.connectionCount > 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(server.connectionCount == 0)
      withExtendedLifetime(connection) {}
    }
  }

  @Test("TLS where there is none, and none where there is TLS, is answered in words")
  func crossed() async throws {
    let reports = Reports()
    let tls = try TestTLS(.kubernetes)
    try await withServer(Echo.router(), report: reports.add) { path, server in
      let hello = try RawConnection(path)
      hello.send([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0])
      let words = String(decoding: try #require(hello.readToEnd()), as: UTF8.self)
      #expect(words.contains("TLS is not spoken here"))
      let port = try await server.listen(host: "127.0.0.1", port: 0) { tls.server }
      let plain = try RawConnection(port: port)
      plain.send(HostileFrameTests.hello)
      let goAway = try #require(plain.frames { $0.type == 7 }.last)
      #expect(
        String(decoding: goAway.payload.dropFirst(8), as: UTF8.self).contains("over TLS only"))
      #expect(plain.readToEnd() != nil)
      for _ in 0..<500 where reports.of(.foreignProtocol).count < 2 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(reports.of(.foreignProtocol).count == 2)
    }
  }

  @Test("Silent connections over TCP do not hold up the Unix socket")
  func silentCrowd() async throws {
    let reports = Reports()
    var configuration = ServerConfiguration()
    configuration.maxConnections = 60
    configuration.reservedConnections = 10
    try await withServer(Echo.router(), configuration: configuration, report: reports.add) {
      path, server in
      let port = try await server.listen(plaintext: "127.0.0.1", port: 0)
      let crowd = try (0..<100).map { _ in try RawConnection(port: port) }
      #expect(try await reports.first(.refused)?.reason == "too many connections")
      #expect(try await Self.call(path) == [1])
      #expect(server.connectionCount >= 50)
      withExtendedLifetime(crowd) {}
    }
  }

  @Test("One address cannot have all connections, and is told so")
  func oneSource() async throws {
    let reports = Reports()
    var configuration = ServerConfiguration()
    configuration.maxConnectionsPerSource = 5
    try await withServer(Echo.router(), configuration: configuration, report: reports.add) {
      _, server in
      let port = try await server.listen(plaintext: "127.0.0.1", port: 0)
      let crowd = try (0..<5).map { _ in try RawConnection(port: port) }
      for _ in 0..<500 where server.connectionCount < 5 {
        try await Task.sleep(for: .milliseconds(10))
      }
      let goAway = try RawConnection(port: port).frames { $0.type == 7 }.last
      #expect(
        goAway.map { String(decoding: $0.payload.dropFirst(8), as: UTF8.self) }
          == "too many connections from your address")
      #expect(try await reports.first(.refused)?.peer.hasPrefix("127.0.0.1:") == true)
      withExtendedLifetime(crowd) {}
    }
  }

  @Test("Clients that begin and do not go on make room for those that do")
  func handshakes() async throws {
    let reports = Reports()
    var configuration = ServerConfiguration()
    configuration.maxHandshakes = 8
    try await withServer(Echo.router(), configuration: configuration, report: reports.add) {
      path, _ in
      let silent = try (0..<8).map { _ in try RawConnection(path) }
      silent[0].send([0x50])
      // None of them is done, and the next ones are served all the same.
      for _ in 0..<3 { #expect(try await Self.call(path) == [1]) }
      #expect(try await reports.first(.handshakeFailed)?.reason.contains("others wait") == true)
    }
  }

  @Test("A flood is reported with what it was")
  func flood() async throws {
    let reports = Reports()
    try await withServer(Echo.router(), report: reports.add) { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        HostileFrameTests.hello + Array(repeating: PingTests.ping, count: 5).flatMap { $0 })
      let report = try #require(await reports.first(.flood))
      #expect(report.reason == "too_many_pings" && report.listener == "unix:\(path)")
    }
  }
}
