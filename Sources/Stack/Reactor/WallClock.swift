internal import Glibc

/// The time of day, by which certificates are valid.
public enum WallClock {
  /// Unix seconds.
  ///
  /// Not from a `timespec`: by the order in which the compiler loads modules, its members may be
  /// ascribed to CEpoll in place of Glibc.
  public static func seconds() -> Int64 { Int64(time(nil)) }
}
