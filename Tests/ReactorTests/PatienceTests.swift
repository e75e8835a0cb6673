import Testing

@testable import Reactor

@Suite struct PatienceTests {
  @Test("A loop sleeps at once until its events come in quick succession")
  func quick() {
    var patience = Patience()
    #expect(!patience.staysAwake)
    patience.slept(Patience.nanoseconds * 10)
    #expect(!patience.staysAwake)
    patience.slept(Patience.nanoseconds / 2)
    #expect(patience.staysAwake)
    patience.paid()
    #expect(patience.staysAwake)
    patience.slept(Patience.nanoseconds)
    #expect(!patience.staysAwake)
  }

  @Test("Where looking does not help, it is tried ever more seldom, but again and again")
  func fruitless() {
    var patience = Patience()
    var attempts: [Int] = []
    // Events that come just after the loop has given up looking, as when both ends share a processor.
    for turn in 0..<5000 {
      if patience.staysAwake {
        attempts.append(turn)
        patience.failed()
      }
      patience.slept(Patience.nanoseconds / 10)
    }
    let gaps = zip(attempts.dropFirst(), attempts).map { $0 - $1 }
    #expect(zip(gaps, gaps.dropFirst()).allSatisfy { $0 <= $1 }, "\(gaps)")
    #expect(gaps.last == 1024)
  }

  @Test("One success is enough to try soon again")
  func forgiven() {
    var patience = Patience()
    for _ in 0..<3 {
      while !patience.staysAwake { patience.slept(1) }
      patience.failed()
    }
    while !patience.staysAwake { patience.slept(1) }
    patience.paid()
    patience.failed()
    patience.slept(1)
    #expect(patience.staysAwake)
  }
}
