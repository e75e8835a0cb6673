import Testing

@testable import RPCTransport

@Suite struct GreetingTests {
  static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

  @Test(
    "What a client speaks is told from its first bytes",
    arguments: [
      (preface, Greeting.http2), ("PRI", .http2), ("PRI * HTTP/2.0\r\n\r\nXX", .http2),
      ("GET / HTTP/1.1\r\n", .http1), ("POST /a.B/C HTTP/1.0\r\n", .http1),
      ("OPTIONS * HTTP/1.1\r\n", .http1), ("GET http://x/ HTTP/1.1\r\n", .http1),
      ("PROPFIND /", .http1), ("PRI / HTTP/1.1", .http1),
      ("CONNECT host:443 HTTP/1.1\r\n", .http1), ("CONNECT 10.0.0.1:443 HTTP/1.1\r\n", .http1),
      ("GET example:443", .other), ("GET \0", .other), ("CONNECT \0", .other),
      ("GET \0\0\0", .other),
      ("INVALID CONNECTION PREFACE\r\n", .other), (" GET /", .other), ("GET\r\n", .other),
      ("SSH-2.0-x", .other), ("\u{16}\u{3}\u{1}", .tls), ("\u{16}\u{4}", .other),
      (String(repeating: "A", count: 30), .other),
    ])
  func told(text: String, greeting: Greeting) {
    // However it arrives: nothing else is said before.
    let bytes = Array(text.utf8)
    for end in bytes.indices {
      let early = Greeting.of(bytes[...end])
      if early == .unclear { continue }
      #expect(early == greeting || text.hasPrefix("PRI / "), "after \(end + 1) bytes")
    }
    #expect(Greeting.of(bytes) == greeting)
  }

  @Test(
    "Too little is not taken for anything", arguments: ["", "P", "PR", "GET", "GET ", "\u{16}"])
  func unclear(text: String) {
    #expect(Greeting.of(Array(text.utf8)) == .unclear)
    #expect(text.utf8.count < Greeting.mostBytes)
  }

  @Test("A listener has words for what it does not speak, and for nothing else")
  func reasons() {
    for isTLS in [false, true] {
      #expect(ForeignAnswer.reason(.http1, isTLS: isTLS) != nil)
      #expect((ForeignAnswer.reason(.tls, isTLS: isTLS) != nil) == !isTLS)
      #expect((ForeignAnswer.reason(.http2, isTLS: isTLS) != nil) == isTLS)
      #expect(ForeignAnswer.reason(.other, isTLS: isTLS) == nil)
    }
  }
}

@Suite struct ReportBudgetTests {
  @Test("A few reports of a kind at once, then one in ten seconds that tells of those left out")
  func budget() {
    var budget = ReportBudget()
    let start = ContinuousClock.now
    func take(_ seconds: Double) -> Int? { budget.take(now: start + .seconds(seconds)) }
    for _ in 0..<5 {
      let omitted = take(0)
      #expect(omitted == 0)
    }
    for second in 0..<10 {
      let omitted = take(Double(second))
      #expect(omitted == nil)
    }
    let later = take(10.5)
    #expect(later == 10)
    let early = take(11)
    #expect(early == nil)
    let again = take(20.5)
    #expect(again == 1)
    for _ in 0..<5 {
      let omitted = take(1000)
      #expect(omitted == 0)
    }
    let tooMany = take(1000)
    #expect(tooMany == nil)
  }
}
