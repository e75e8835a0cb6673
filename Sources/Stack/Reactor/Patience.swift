/// Decides whether an event loop that has nothing to do looks again for a moment before it sleeps.
///
/// To wake a sleeping processor takes several microseconds, longer than a call: a client that sends
/// its next request as soon as it has the last answer waits for that each time. A loop whose events
/// come in such quick succession stays awake between them; one that is idle, or whose events come at
/// leisure, spends nothing on it. Where looking does not help, as when client and server share a
/// processor, it is tried ever more seldom.
struct Patience {
  /// How long a loop looks before it sleeps.
  static let nanoseconds: UInt64 = 50_000

  /// Events came so soon after the loop had gone to sleep that it should have waited.
  private var isQuick = false
  /// Sleeps to go before looking is tried again, and how many there will be after the next failure.
  private var pause = 0
  private var nextPause = 1

  var staysAwake: Bool { isQuick && pause == 0 }

  /// Looking found events.
  mutating func paid() { nextPause = 1 }

  /// Looking found nothing.
  mutating func failed() {
    isQuick = false
    pause = nextPause
    nextPause = min(2 * nextPause, 1024)
  }

  /// The loop has slept for so long.
  mutating func slept(_ nanoseconds: UInt64) {
    isQuick = nanoseconds < Self.nanoseconds
    if pause > 0 { pause -= 1 }
  }
}
