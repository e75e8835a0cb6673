import Testing

@testable import RPCTransport

@Suite struct PingStrikesTests {
  /// Whether a client that pings so often, so many seconds apart, is sent away.
  static func endsAfter(
    _ pings: Int, every seconds: Int, hasSentResponse: Bool = false, isInCall: Bool
  ) -> Bool {
    var strikes = PingStrikes(idleInterval: .seconds(300))
    let start = ContinuousClock.now
    return (0..<pings).contains { ping in
      strikes.pinged(
        now: start + .seconds(seconds * ping), hasSentResponse: hasSentResponse, isInCall: isInCall)
    }
  }

  @Test("Without a call the fourth ping of those that are too close together is one too many")
  func idle() {
    #expect(!Self.endsAfter(3, every: 10, isInCall: false))
    #expect(Self.endsAfter(4, every: 10, isInCall: false))
    #expect(!Self.endsAfter(1000, every: 300, isInCall: false))
  }

  @Test("With a call under way a client may ping every ten seconds, for as long as it likes")
  func withinCalls() {
    #expect(!Self.endsAfter(1000, every: 10, isInCall: true))
    #expect(Self.endsAfter(4, every: 8, isInCall: true))
  }

  @Test("Two pings that the network brings together are no abuse of a client with a call")
  func jitter() {
    var strikes = PingStrikes(idleInterval: .seconds(300))
    let start = ContinuousClock.now
    for ping in 0..<1000 {
      let moment = start + .seconds(10 * ping) + .milliseconds(ping % 2 == 0 ? 0 : 900)
      let isTooMuch = strikes.pinged(now: moment, hasSentResponse: false, isInCall: true)
      #expect(!isTooMuch)
    }
  }

  @Test("Pings between which parts of a response leave are never too many")
  func probes() {
    #expect(!Self.endsAfter(10_000, every: 0, hasSentResponse: true, isInCall: true))
    #expect(!Self.endsAfter(10_000, every: 0, hasSentResponse: true, isInCall: false))
  }

  @Test("An interval that is set shorter than that of calls holds within calls too")
  func short() {
    var strikes = PingStrikes(idleInterval: .seconds(1))
    let start = ContinuousClock.now
    for ping in 0..<100 {
      let isTooMuch = strikes.pinged(
        now: start + .seconds(ping), hasSentResponse: false, isInCall: ping % 2 == 0)
      #expect(!isTooMuch)
    }
  }
}
