import Rotation

/// The proof that an apid turns clients of a dropped authority away.
///
/// A machine that is down refuses nobody, so each proof stands beside a positive control: a client of an
/// accepted authority, which is let in at the same time.
enum RefusalProof {
  typealias Answer = Result<Void, TalosFailure>

  static let name = CheckName.oldRefused

  /// A client of the dropped authority was let in.
  static let stillIn = CheckResult(name, .waiting, "a client of the dropped CA is still let in")

  /// - Parameters:
  ///   - control: how an accepted client has just fared.
  ///   - accepted: dials as one once more.
  ///   - dropped: dials as a client of the dropped authority.
  ///   - isBound: whether an alert counts only where the machine lets an accepted client in once more behind it: whoever
  ///     refuses a client shows nothing of who it is.
  static func check(
    control: Answer, accepted: () async -> Answer, dropped: () async -> Answer,
    isBound: Bool = false
  ) async -> CheckResult {
    var control = control
    // A TLS alert that names the certificate is proof by itself. A connection that is merely cut off is
    // one only when that happens every time, and to the dropped client alone.
    for _ in 0..<3 {
      guard case .success = control else { break }
      switch await dropped() {
      case .success:
        return stillIn
      case .failure(let failure) where failure.isAboutTime:
        return CheckResult(
          name, .waiting,
          "a client of the dropped CA is refused for its time, not for its CA (\(failure.message)): set the clocks of the "
            + "machine and of this host right")
      case .failure(.rejected(let text, _)):
        if isBound, case .failure(let failure) = await accepted() {
          return CheckResult(
            name, .waiting,
            "a client of the dropped CA is refused, but right behind that an accepted one is not let in: "
              + Routes.plain(failure.message))
        }
        return CheckResult(name, .passed, "a client of the dropped CA is refused (\(text))")
      case .failure(let failure) where failure.isCutOff: control = await accepted()
      case .failure(let failure):
        return CheckResult(
          name, .waiting,
          "no clear refusal: \(Routes.plain(failure.message)); a closed port is no proof: let this host reach the "
            + "machine's port of the Talos API")
      }
    }
    guard case .success = control else {
      return CheckResult(name, .waiting, "cannot be proved while an accepted client is not let in")
    }
    return CheckResult(
      name, .passed, "a client of the dropped CA is cut off every time, an accepted one let in")
  }
}
