public import RPC
import Schema

/// Watches the standard health service of a server, for channels that send no calls to one that says
/// it does not serve (gRPC documentation, "Client-Side Health Checking").
///
/// A server without a health service counts as healthy. A watch that breaks is begun anew with
/// growing pauses; until it stands again the server counts as not ready.
public struct HealthProbe: ReadinessProbe {
  private let service: String
  private let firstPause: Duration
  private let longestPause: Duration

  /// - Parameters:
  ///   - service: whose health is asked for; empty for the server as a whole.
  ///   - firstPause: how long to wait after a watch broke; each further failure waits 1.6 times as
  ///     long, up to `longestPause`.
  public init(
    service: String = "", firstPause: Duration = .seconds(1),
    longestPause: Duration = .seconds(120)
  ) {
    self.service = service
    self.firstPause = firstPause
    self.longestPause = longestPause
  }

  public func watch(
    _ connection: any ClientChannel, report: @escaping @Sendable (Readiness) -> Void
  ) async {
    let client = RPCClient(connection)
    var request = GRPCHealth.HealthCheckRequest()
    request.service = service
    var pause = firstPause
    while !Task.isCancelled {
      var hasAnswered = false
      var reason = "the server ended the watch of its health"
      do {
        try await client.serverStreaming(GRPCHealth.HealthMethods.watch, request) { stream in
          for try await response in stream {
            hasAnswered = true
            report(readiness(response.status))
          }
        }
      } catch {
        let error = error as? RPCError ?? RPCError(.unknown, "\(error)")
        if error.code == .unimplemented { return report(.ready) }
        reason = "the watch of the server's health broke: \(error.code.name): \(error.message)"
      }
      if Task.isCancelled { return }
      report(.notReady(reason))
      if hasAnswered { pause = firstPause }
      try? await Task.sleep(for: pause * Double.random(in: 0.8...1.2))
      pause = min(pause * 1.6, longestPause)
    }
  }

  private func readiness(_ status: HealthService.Status) -> Readiness {
    if status == .serving { return .ready }
    let name = service.isEmpty ? "the server" : "the server, of \(service),"
    return .notReady("\(name) says that it is \(status)")
  }
}
