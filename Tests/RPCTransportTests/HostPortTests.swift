import Testing

@testable import RPCTransport

@Suite("Hosts, ports and endpoints in text form")
struct HostPortTests {
  @Test(
    "Names and addresses are read, with and without a port, and written back",
    arguments: [
      ("host", "host", nil), ("host:1", "host", 1), ("10.0.0.1:0", "10.0.0.1", 0),
      ("a-b_c.example.:65535", "a-b_c.example.", 65535), ("[fd00::1]", "fd00::1", nil),
      ("[fd00::1]:50001", "fd00::1", 50001), ("[::ffff:10.0.0.1]:1", "::ffff:10.0.0.1", 1),
    ] as [(String, String, Int?)])
  func reads(_ text: String, _ host: String, _ port: Int?) throws {
    let read = try #require(HostPort(text))
    #expect(read == HostPort(host: host, port: port))
    #expect(read.description == text)
  }

  @Test("A bare IPv6 address has no port")
  func bare() {
    #expect(HostPort("fd00::1:5000") == HostPort(host: "fd00::1:5000", port: nil))
    #expect(HostPort("fd00::1:50000") == nil)
    #expect(HostPort("::1")?.description == "[::1]")
  }

  @Test(
    "What is no host, or no port, is nothing",
    arguments: [
      "", ":1", "[]", "[]:1", "[host]:1", "[10.0.0.1]:1", "[fd00::1", "fd00::1]", "[::]x",
      "[::1]:", "[::1]::1", "[fd0\u{FFFD}::1]:50000", "[fe80::1%eth0]:1", "fe80::1%eth0", "a:b:c",
      "host:", "host:x", "host:+1", "host:-1", "host: 1", "host:65536", "host:000001",
      "host:99999999999999999999", "a b", "a/b", "u@h", "ho\u{0}st", "::1\u{0}x", "h\u{F6}st",
      "a:\u{301}1", "a\n",
    ])
  func refuses(_ text: String) {
    #expect(HostPort(text) == nil)
    #expect(Endpoint("tls:" + text) == nil)
    #expect(Endpoint("tcp:" + text) == nil)
  }

  @Test("Endpoints are read and written back")
  func endpoints() {
    for text in [
      "unix:/run/omnid.sock", "unix:a b", "unix-abstract:omnid", "tls:host:1", "tls:[::1]:0",
      "tcp:1.2.3.4:5",
    ] {
      #expect(Endpoint(text)?.description == text)
    }
    #expect(Endpoint("unix:///run/x") == .unix(path: "/run/x"))
    #expect(Endpoint("tls:[fd00::1]:443")?.authority == "[fd00::1]:443")
    for text in [
      "", "unix:", "unix-abstract:", "tls:host", "tls:[::1]", "tls:::1", "tcp:", "http:host:1",
      "host:1",
    ] {
      #expect(Endpoint(text) == nil, "\(text)")
    }
  }
}
