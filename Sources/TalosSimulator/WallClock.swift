internal import Foundation

/// The time of day of the machine that runs the simulation.
enum WallClock {
  /// Nanoseconds since 1970, to the microsecond.
  static func nanoseconds() -> Int64 {
    Int64(Date().timeIntervalSince1970 * 1_000_000) * 1000
  }

  static func seconds() -> Int64 { nanoseconds() / 1_000_000_000 }
}
