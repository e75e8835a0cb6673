/// Lays out for others which authorities they have to trust.
///
/// A rotation calls it when it is taken up, which is after both its authorities are on record and before any machine is
/// touched: at its start, and again after each restart.
public protocol TrustPublisher: Sendable {
  /// Returns when what is given is laid out, or cannot be for now, and in a bounded time in any case: a disk that is full
  /// or hangs holds no rotation up. The publisher goes on trying by itself, and says where somebody sees it that it does.
  func publish(_ trust: ClusterTrust) async
}
