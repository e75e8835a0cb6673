/// Finds out, for as long as a connection lives, whether its server takes calls: client-side health
/// checking, as the gRPC documentation calls it.
public protocol ReadinessProbe: Sendable {
  /// Watches the server of one connection and reports every change. The task is cancelled when the
  /// connection takes no more calls.
  ///
  /// Until the first report, calls wait as they do for a connection. Returning ends the watch: the
  /// last report stands, and without one the connection counts as ready.
  ///
  /// - Parameter connection: makes calls over this connection alone, whether it is ready or not.
  func watch(
    _ connection: any ClientChannel, report: @escaping @Sendable (Readiness) -> Void
  ) async
}

/// Whether a server takes calls.
public enum Readiness: Sendable, Equatable {
  case ready
  /// Calls wait when they are told to (`waitForReady`); others fail with UNAVAILABLE and this text.
  case notReady(String)
}
