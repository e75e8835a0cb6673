import Glibc
import Testing

@testable import TalosSimulator

@Suite struct WallClockTests {
  @Test("What is valid from now on is valid to OpenSSL, also when a second has just begun")
  func secondBegins() {
    for _ in 0..<2 {
      var exact = timespec()
      clock_gettime(CLOCK_REALTIME, &exact)
      let before = exact.tv_sec
      while exact.tv_sec == before { clock_gettime(CLOCK_REALTIME, &exact) }
      let issued = WallClock.seconds()
      #expect(issued <= Int64(time(nil)))
    }
  }
}
