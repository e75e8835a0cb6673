import Rotation

/// `trust-refresh`: whether a worker acts on the trust of the stage, or has to be made to ask for it.
enum TrustRefresh {
  /// Nil where there is nothing to say.
  ///
  /// - Parameters:
  ///   - isStale: whether its apid serves or accepts what the stage before had.
  ///   - isRepeated: whether its configuration still lists the CA a second time, from a refresh.
  static func check(isStale: Bool, isRepeated: Bool) -> CheckResult? {
    if isStale {
      return CheckResult(
        .trustRefresh, .waiting,
        "its apid still has the trust of the stage before; where that lasts it is made to ask trustd again"
      )
    }
    guard isRepeated else { return nil }
    return CheckResult(
      .trustRefresh, .failed, "its configuration lists its CA twice, from a refresh; put right")
  }
}
