import HTTP2Codes
import Testing

@testable import HTTP2

/// What a session refuses that takes any authority, and that it refuses nothing else.
@Suite struct RequestRulesTests {
  typealias Fields = KeyValuePairs<String, String>

  static func accepts(_ fields: Fields, isTrailers: Bool = false) -> Bool {
    RequestRules.accept(HeaderBlockTests.blocks([fields])[0], isTrailers: isTrailers)
  }

  static let authorities: [Fields] = [
    [":method": "POST", ":scheme": "http", ":path": "/a"],
    [":method": "POST", ":scheme": "http", ":path": "/a", ":authority": ""],
    [":method": "POST", ":scheme": "http", ":path": "/a", ":authority": "/run/a b.sock"],
    [":method": "POST", ":scheme": "http", ":path": "/a", ":authority": "%2Frun%2Fa.sock"],
    [":method": "POST", ":scheme": "http", ":path": "/a", "host": ""],
    [":authority": "x", ":method": "OPTIONS", ":scheme": "https", ":path": "*"],
    [":method": "CONNECT", ":authority": "x:1"],
    [
      ":method": "GET", ":scheme": "unix", ":path": "a", "te": "Trailers", "content-length": "7",
      "x": "\u{9}\u{e9}", "!#$%&'*+-.^_`|~": "",
    ],
  ]

  @Test("Any authority will do, also an empty one and none", arguments: authorities.indices)
  func authority(index: Int) { #expect(Self.accepts(Self.authorities[index])) }

  static let faults: [Fields] = [
    [":scheme": "http", ":path": "/a"],
    [":method": "POST", ":path": "/a"],
    [":method": "POST", ":scheme": "http"],
    [":method": "", ":scheme": "http", ":path": "/a"],
    [":method": "POST", ":scheme": "", ":path": "/a"],
    [":method": "POST", ":scheme": "http", ":path": ""],
    [":method": "P T", ":scheme": "http", ":path": "/a"],
    [":method": "POST", ":scheme": "1http", ":path": "/a"],
    [":method": "POST", ":scheme": "http", ":path": "a"],
    [":method": "POST", ":scheme": "http", ":path": "*"],
    [":method": "POST", ":scheme": "http", ":path": "/a b"],
    [":method": "POST", ":method": "POST", ":scheme": "http", ":path": "/a"],
    [":method": "POST", ":scheme": "http", ":scheme": "http", ":path": "/a"],
    [":method": "POST", ":scheme": "http", ":path": "/a", ":path": "/a"],
    [":method": "POST", ":scheme": "http", ":path": "/a", ":authority": "a", ":authority": "a"],
    [":method": "POST", ":scheme": "http", ":path": "/a", ":authority": "a\u{0}"],
    [":method": "POST", ":scheme": "http", ":path": "/a", ":status": "200"],
    [":method": "POST", ":scheme": "http", ":path": "/a", ":protocol": "websocket"],
    [":method": "POST", ":scheme": "http", "te": "trailers", ":path": "/a"],
    [":method": "CONNECT"],
    [":method": "CONNECT", ":authority": "x:1", ":path": "/a"],
  ]

  @Test("Pseudo-header fields are whole, single, known, and stand first", arguments: faults.indices)
  func pseudo(index: Int) { #expect(!Self.accepts(Self.faults[index])) }

  static let badFields = [
    ("connection", "close"), ("keep-alive", "1"), ("proxy-connection", "x"), ("upgrade", "h2c"),
    ("transfer-encoding", "chunked"), ("te", "gzip"), ("te", ""), ("Upper", "x"), ("", "x"),
    ("a b", "x"), ("a:", "x"), ("a\u{7f}", "x"), ("x", "a\u{0}b"), ("x", "a\nb"), ("x", "\u{7f}"),
    ("content-length", ""), ("content-length", "-1"), ("content-length", "1x"),
    ("content-length", "99999999999999999999"),
  ]

  @Test("Fields that HTTP/2 forbids are refused", arguments: badFields)
  func regular(name: String, value: String) {
    #expect(
      !Self.accepts([":method": "POST", ":scheme": "http", ":path": "/a", name: value]))
    #expect(!Self.accepts([name: value], isTrailers: true))
  }

  @Test(
    "A field of which there may be one does not come twice", arguments: ["host", "content-length"])
  func single(name: String) {
    let head: Fields = [":method": "POST", ":scheme": "http", ":path": "/a", name: "1", name: "1"]
    #expect(!Self.accepts(head))
  }

  @Test("Trailers have no pseudo-header fields")
  func trailers() {
    #expect(Self.accepts(["x": "y"], isTrailers: true))
    #expect(Self.accepts([:], isTrailers: true))
    #expect(!Self.accepts([":path": "/a"], isTrailers: true))
  }

  static func settings() -> HTTP2Settings {
    var settings = HTTP2Settings()
    settings.takesAnyAuthority = true
    return settings
  }

  @Test(
    "A body that is not as long as it says resets its stream, and only it",
    arguments: [("3", 3, true), ("3", 2, false), ("3", 4, false), ("0", 0, true), ("1", 0, false)])
  func contentLength(said: String, sent: Int, isRight: Bool) throws {
    let pair = SessionPair(server: Self.settings())
    let head = SessionPair.headers([
      ":method": "POST", ":scheme": "http", ":path": "/a", "content-length": said,
    ])
    for _ in 0..<2 {
      let stream = HTTP2Stream()
      #expect(pair.client.request(stream, head, hasBody: sent > 0) == .opened)
      if sent > 0 {
        try pair.run()
        pair.client.send(stream, [UInt8](repeating: 0, count: sent))
        pair.client.finish(stream, nil)
      }
      try pair.run()
    }
    let resets = pair.clientEvents.filter { $0 == .closed(.protocolError) }
    #expect(resets.count == (isRight ? 0 : 2))
    let other = HTTP2Stream()
    _ = pair.client.request(other, SessionPair.request, hasBody: false)
    try pair.run()
    #expect(
      pair.serverEvents.last
        == .head([":method=POST", ":scheme=http", ":path=/a", ":authority=x"], isLast: true))
  }

  @Test("A malformed request resets its stream without being given out, each time it comes")
  func malformed() throws {
    let pair = SessionPair(server: Self.settings())
    let head = SessionPair.headers([":method": "POST", ":path": "/a"])
    for _ in 0..<3 {
      _ = pair.client.request(HTTP2Stream(), head, hasBody: false)
      try pair.run()
    }
    #expect(pair.clientEvents.filter { $0 == .closed(.protocolError) }.count == 3)
    #expect(!pair.serverEvents.contains { if case .head = $0 { true } else { false } })
  }
}
