import Testing

@testable import RPCTransport

@Suite struct ConnectionLedgerTests {
  static func ledger(
    _ rules: ConnectionLedger.Rules, listeners: Int = 2
  ) -> ConnectionLedger {
    var ledger = ConnectionLedger(rules)
    for listener in 0..<listeners { #expect(ledger.addListener() == listener) }
    return ledger
  }

  /// How many connections the listener takes before it refuses one, and why.
  static func fill(
    _ ledger: inout ConnectionLedger, _ listener: Int, source: String? = nil
  ) -> (count: Int, refusal: ConnectionLedger.Refusal?) {
    for count in 0..<1000 {
      if let refusal = ledger.take(listener, source: source) { return (count, refusal) }
    }
    return (1000, nil)
  }

  @Test("What one listener keeps no other can use up")
  func reserve() {
    var ledger = Self.ledger(ConnectionLedger.Rules(total: 100, reserve: 10))
    let first = Self.fill(&ledger, 0)
    #expect(first.count == 90 && first.refusal == .all)
    let second = Self.fill(&ledger, 1)
    #expect(second.count == 10 && second.refusal == .all)
    #expect(ledger.count == 100)
    // A place that is given back goes to whoever it is free for.
    ledger.giveBack(0, source: nil)
    #expect(ledger.take(1, source: nil) == nil)
    #expect(ledger.take(0, source: nil) == .all)
  }

  @Test("However many listeners there are, half of all places are for anybody")
  func smallTotal() {
    var ledger = Self.ledger(ConnectionLedger.Rules(total: 12, reserve: 100), listeners: 3)
    #expect(Self.fill(&ledger, 0).count == 8)
    #expect(Self.fill(&ledger, 1).count == 2)
    #expect(Self.fill(&ledger, 2).count == 2)
  }

  @Test("One listener alone may use all places")
  func alone() {
    var ledger = Self.ledger(ConnectionLedger.Rules(total: 50, reserve: 10), listeners: 1)
    #expect(Self.fill(&ledger, 0).count == 50)
  }

  @Test("A listener's own limit and a source's hold beside that of all")
  func others() {
    var ledger = Self.ledger(
      ConnectionLedger.Rules(total: 100, perListener: 20, perSource: 5))
    let source = Self.fill(&ledger, 0, source: "192.0.2.1")
    #expect(source.count == 5 && source.refusal == .source)
    // The source's connections count wherever they come in.
    #expect(ledger.take(1, source: "192.0.2.1") == .source)
    let listener = Self.fill(&ledger, 0)
    #expect(listener.count == 15 && listener.refusal == .listener)
    ledger.giveBack(0, source: "192.0.2.1")
    #expect(ledger.take(1, source: "192.0.2.1") == nil)
  }

  @Test(
    "A source is an IPv4 address, or the part of an IPv6 address that one host has",
    arguments: [
      ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
      ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
      ("2001:db8::9", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64"),
      ("fe80::1%eth0", "fe80:0:0:0::/64"),
    ])
  func source(host: String, key: String) { #expect(SourceAddress.key(host) == key) }
}
