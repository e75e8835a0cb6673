internal import CClock

/// The time of day of the machine that runs the simulation.
///
/// The kernel's coarse clock, which time(2) and with it OpenSSL's checks read: it lags the exact one by
/// up to a tick, and what is valid from the exact time on would for that long not be valid yet.
enum WallClock {
  /// Nanoseconds since 1970, to the tick of the clock: some milliseconds.
  static func nanoseconds() -> Int64 { clock_coarse_nanoseconds() }

  static func seconds() -> Int64 { nanoseconds() / 1_000_000_000 }
}
