/// How the process ends; scripts rely on these numbers.
public enum ExitCode: Int32, Sendable, CaseIterable {
  case done = 0
  case failed = 1
  /// The command line, or a value in it, is wrong.
  case wrongUsage = 2
  /// A precondition does not hold: another rotation in progress, version too old, name taken.
  case refused = 3
  /// The wait timed out; the rotation goes on.
  case waitTimedOut = 4
  case notFound = 5
  case noAccess = 6
  /// The server cannot be reached.
  case unreachable = 7
}
