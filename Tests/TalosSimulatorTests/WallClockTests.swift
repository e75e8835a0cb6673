import Foundation
import Glibc
import Testing

@testable import TalosSimulator

@Suite struct WallClockTests {
  @Test("What is valid from now on is valid to OpenSSL, also when a second has just begun")
  func secondBegins() {
    // The exact clock, which is ahead of the one that time(2) reads.
    func exactSeconds() -> Int { Int(Date().timeIntervalSince1970) }
    for _ in 0..<2 {
      let before = exactSeconds()
      while exactSeconds() == before {}
      let issued = WallClock.seconds()
      #expect(issued <= Int64(time(nil)))
    }
  }
}
