internal import Crypto
internal import RPC
internal import Reactor

/// How long calls under way may go on when their client's certificate has expired.
private let expiryGrace = Duration.seconds(5)

/// A connection lives no longer than its client's certificate.
extension ServerConnection {
  /// Ends the connection with the client's certificate, or one that certifies it.
  ///
  /// - Parameter end: the last second in which it is valid.
  func watchExpiry(_ end: Int64) {
    let left = end - WallClock.seconds()
    if left < 0 { return expire() }
    // At most a minute at a time: the clock may be set meanwhile.
    timers.start(.expiry, after: .seconds(min(left + 1, 60))) { [self] in watchExpiry(end) }
  }

  private func expire() {
    report(.expired, "the connection ends with the client's certificate")
    carryOut(serverLife.expired(grace: expiryGrace))
    if isClosed { return }
    timers.start(.expiry, after: expiryGrace) { [self] in
      close(.closed("the client's certificate has expired"))
    }
  }
}
