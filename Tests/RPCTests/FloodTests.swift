import RPC
import RPCTransport
import Testing

/// Whatever a peer sends too much of, its connection ends with GOAWAY ENHANCE_YOUR_CALM and a text.
@Suite struct FloodTests {
  struct Flood: CustomTestStringConvertible {
    var testDescription: String
    var text: String
    /// What is sent behind preface, SETTINGS and the head of stream 1.
    var frames: [UInt8]
  }

  private static func many(_ count: Int, _ frame: [UInt8]) -> [UInt8] {
    Array(repeating: frame, count: count).flatMap { $0 }
  }

  private static func frame(
    _ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []
  ) -> [UInt8] {
    RawConnection.frame(type, flags: flags, stream: stream, payload)
  }

  private static func streams(_ frames: (UInt32) -> [UInt8]) -> [UInt8] {
    var all: [UInt8] = []
    for index in 0..<1200 { all += frames(UInt32(3 + 2 * index)) }
    return all
  }

  private static func endlessBlock() -> [UInt8] {
    let more = frame(9, stream: 3, RawConnection.fields([("x", "y")]))
    return frame(1, stream: 3, RawConnection.echoRequest) + many(20, more)
  }

  private static let nothing = "too many frames that do nothing"
  private static let pong = [UInt8](repeating: 1, count: 8)

  static let floods: [Flood] = [
    Flood(testDescription: "PING", text: "too_many_pings", frames: many(5, frame(6, pong))),
    Flood(
      testDescription: "answers to no PING", text: nothing,
      frames: many(1100, frame(6, flags: 1, pong))),
    Flood(
      testDescription: "SETTINGS", text: nothing,
      frames: many(1100, frame(4, [0, 4, 0, 0, 255, 255]))),
    Flood(testDescription: "empty SETTINGS", text: nothing, frames: many(1100, frame(4))),
    Flood(
      testDescription: "PRIORITY", text: nothing,
      frames: many(1100, frame(2, stream: 1, [0, 0, 0, 0, 9]))),
    Flood(testDescription: "empty DATA", text: nothing, frames: many(1100, frame(0, stream: 1))),
    Flood(testDescription: "unknown frames", text: nothing, frames: many(1100, frame(0x7f))),
    Flood(
      testDescription: "GOAWAY", text: nothing,
      frames: many(1100, frame(7, [0, 0, 0, 0, 0, 0, 0, 0]))),
    Flood(
      testDescription: "WINDOW_UPDATE of the connection", text: "too many WINDOW_UPDATE frames",
      frames: many(11_000, frame(8, [0, 0, 0, 1]))),
    Flood(
      testDescription: "WINDOW_UPDATE of a stream", text: "too many WINDOW_UPDATE frames",
      frames: many(11_000, frame(8, stream: 1, [0, 0, 0, 1]))),
    Flood(
      testDescription: "CONTINUATION", text: "too many CONTINUATION frames in a header block",
      frames: endlessBlock()),
    Flood(
      testDescription: "streams that are reset at once", text: "too many streams are reset",
      frames: streams { id in
        frame(1, flags: 4, stream: id, RawConnection.echoRequest)
          + frame(3, stream: id, [0, 0, 0, 8])
      }),
    Flood(
      testDescription: "streams that break the rules",
      text: "too many streams break the rules of HTTP/2",
      frames: streams { id in
        frame(1, flags: 4, stream: id, RawConnection.fields([(":method", "GET")]))
      }),
  ]

  @Test("Every flood ends with ENHANCE_YOUR_CALM and words", arguments: floods)
  func ends(flood: Flood) async throws {
    try await withServer(Echo.router()) { path, server in
      let port = try await server.listen(plaintext: "127.0.0.1", port: 0)
      for connection in [try RawConnection(path), try RawConnection(port: port)] {
        connection.send(
          HostileFrameTests.hello
            + RawConnection.frame(1, flags: 4, stream: 1, RawConnection.echoRequest) + flood.frames)
        let goAway = try #require(connection.frames { $0.type == 7 }.last)
        #expect(goAway.type == 7)
        #expect(goAway.payload.prefix(8).last == 0xb)
        #expect(String(decoding: goAway.payload.dropFirst(8), as: UTF8.self) == flood.text)
        #expect(connection.readToEnd() != nil)
      }
    }
  }

  @Test("Credit for a response that leaves is no flood")
  func credit() async throws {
    try await withServer(Echo.router()) { path, _ in
      let connection = try RawConnection(path)
      connection.send(
        HostileFrameTests.hello
          + RawConnection.frame(4, flags: 0, stream: 0, [0, 4, 0, 0, 0, 0])
          + RawConnection.frame(1, flags: 4, stream: 1, HostileFrameTests.call("Flood"))
          + RawConnection.frame(0, flags: 1, stream: 1, [0, 0, 0, 0, 0]))
      let credit = RawConnection.frame(8, flags: 0, stream: 1, [0, 0, 0, 1])
      for _ in 0..<30 {
        connection.send(Array(repeating: credit, count: 1000).flatMap { $0 })
        let frames = connection.frames { $0.type == 7 || $0.type == 0 }
        #expect(frames.last?.type == 0)
      }
    }
  }
}
