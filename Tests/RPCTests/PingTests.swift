import RPC
import RPCTransport
import Testing

/// Clients that ask for signs of life, and how many of these are too many (gRFC A8).
@Suite struct PingTests {
  static let ping = RawConnection.frame(6, flags: 0, stream: 0, [UInt8](repeating: 7, count: 8))

  static func windowUpdates(_ bytes: Int) -> [UInt8] {
    let increment = (0..<4).map { UInt8(truncatingIfNeeded: bytes >> (24 - 8 * $0)) }
    return RawConnection.frame(8, flags: 0, stream: 0, increment)
      + RawConnection.frame(8, flags: 0, stream: 1, increment)
  }

  static func router(_ bytes: Int) -> ServiceRouter {
    var router = Echo.router()
    router.handle(Echo.method("Large", .unary)) { (request: [UInt8], call) in
      [UInt8](repeating: 1, count: bytes)
    }
    return router
  }

  @Test("A client that pings once in each round trip gets a large response whole")
  func bandwidthProbe() async throws {
    let size = 3 << 20
    try await withServer(Self.router(size)) { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        HostileFrameTests.hello
          + RawConnection.frame(1, flags: 4, stream: 1, HostileFrameTests.call("Large"))
          + RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 0]))
      var received = 0
      var pings = 0
      var isWaiting = false
      let frames = connection.frames { frame in
        switch frame.type {
        case 0:
          received += frame.payload.count
          if !frame.payload.isEmpty { connection.send(Self.windowUpdates(frame.payload.count)) }
          if !isWaiting {
            pings += 1
            isWaiting = true
            connection.send(Self.ping)
          }
        case 6: isWaiting = false
        default: break
        }
        return frame.type == 7 || frame.type == 1 && frame.flags & 1 != 0
      }
      #expect(frames.last?.type == 1)
      #expect(received == size + 5)
      #expect(pings > 3)
    }
  }

  @Test(
    "Pings that come faster than responses leave end the connection, with the words clients know")
  func flood() async throws {
    try await withServer(Self.router(1)) { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        HostileFrameTests.hello + Array(repeating: Self.ping, count: 5).flatMap { $0 })
      let frames = connection.frames { $0.type == 7 }
      let goAway = try #require(frames.last)
      #expect(goAway.type == 7 && goAway.payload[7] == 0xb)
      #expect(goAway.payload.dropFirst(8).elementsEqual("too_many_pings".utf8))
      #expect(connection.readToEnd() != nil)
    }
  }

  @Test("Each part of a response forgives the pings before it")
  func forgiven() async throws {
    try await withServer(Self.router(1)) { path, _ in
      let connection = try RawConnection(path)
      connection.send(HostileFrameTests.hello)
      for call in 0..<10 {
        let id = UInt32(2 * call + 1)
        connection.send(
          Self.ping + Self.ping
            + RawConnection.frame(1, flags: 4, stream: id, HostileFrameTests.call("Large"))
            + RawConnection.frame(0, flags: 1, stream: id, [0, 0, 0, 0, 0]))
        let frames = connection.frames { $0.type == 7 || $0.type == 1 && $0.flags & 1 != 0 }
        #expect(frames.last?.type == 1)
      }
    }
  }
}
