import Testing

@testable import RPCTransport

/// Whether a peer takes what is sent to it.
@Suite struct UnsentWatchTests {
  private static func sight(
    taken: Int = 0, waits: Bool = true, sent: Int = 0
  ) -> UnsentWatch.Sight {
    UnsentWatch.Sight(taken: taken, waitsForSocket: waits, sent: sent)
  }

  private static func begun() -> UnsentWatch { UnsentWatch(patience: 3, seeing: sight()) }

  @Test("A peer that takes nothing for the whole patience is given up, and no sooner")
  func silent() {
    var watch = Self.begun()
    for _ in 0..<2 {
      watch.look(Self.sight())
      #expect(!watch.isDeadlocked(isLeaving: false))
    }
    watch.look(Self.sight())
    #expect(watch.isDeadlocked(isLeaving: false))
  }

  @Test("A connection that is to end waits for two looks")
  func leaving() {
    var watch = Self.begun()
    watch.look(Self.sight())
    #expect(!watch.isDeadlocked(isLeaving: true))
    watch.look(Self.sight())
    #expect(watch.isDeadlocked(isLeaving: true))
  }

  @Test("Each byte that is taken gives the whole patience again")
  func slow() {
    var watch = Self.begun()
    for taken in 1...20 {
      for _ in 0..<2 { watch.look(Self.sight(taken: taken)) }
      #expect(!watch.isDeadlocked(isLeaving: false))
    }
    // The next look alone is one without progress.
    watch.look(Self.sight(taken: 21))
    #expect(!watch.isDeadlocked(isLeaving: true))
  }

  @Test("Where nothing waits for the socket, nobody is waited for")
  func idle() {
    var watch = Self.begun()
    for _ in 0..<10 { watch.look(Self.sight(waits: false)) }
    #expect(!watch.isDeadlocked(isLeaving: false) && !watch.isDeadlocked(isLeaving: true))
  }

  @Test(
    "A page has its time whatever else the peer takes, and two looks when the connection is to end")
  func pages() {
    let watch = Self.begun()
    #expect(!watch.isOverdue(page: 2, isLeaving: false))
    #expect(watch.isOverdue(page: 3, isLeaving: false))
    #expect(!watch.isOverdue(page: 1, isLeaving: true))
    #expect(watch.isOverdue(page: 2, isLeaving: true))
  }

  @Test(
    "Answers of calls wait as long as their callers like, until they alone keep a connection from ending"
  )
  func calls() {
    var watch = Self.begun()
    for _ in 0..<3 { watch.look(Self.sight(waits: false)) }
    #expect(!watch.callsAreOverdue(isLeaving: false))
    #expect(watch.callsAreOverdue(isLeaving: true))
    watch.look(Self.sight(waits: false, sent: 1))
    #expect(!watch.callsAreOverdue(isLeaving: true))
  }

  @Test("A patience of no look is one of one")
  func least() {
    var watch = UnsentWatch(patience: 0, seeing: Self.sight())
    #expect(!watch.isDeadlocked(isLeaving: false))
    watch.look(Self.sight())
    #expect(watch.isDeadlocked(isLeaving: false))
  }
}
