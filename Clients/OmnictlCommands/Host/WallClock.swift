internal import Glibc
internal import Schema

enum WallClock {
  static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanos: Int32(time.tv_nsec))
  }
}

/// A clock that counts forward whatever is done to the wall clock, sleep of the machine included.
enum Uptime {
  private static let start = ContinuousClock.now

  static func now() -> Duration { ContinuousClock.now - start }
}
