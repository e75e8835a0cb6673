import Daemon
import RPC
import Schema

/// Logs every call when it ends: at `info` what changes something or hands a credential out, the rest
/// at `debug`. Neither requests nor responses are logged.
struct CallLog: ServerInterceptor {
  let logger: Logger

  private static let noteworthy: Set<String> = [
    ManagementServiceMethods.rotateSecret.path, ManagementServiceMethods.importCluster.path,
    ManagementServiceMethods.forgetCluster.path, ManagementServiceMethods.talosconfig.path,
    ManagementServiceMethods.kubeconfig.path,
  ]

  func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    let level = Self.noteworthy.contains(call.path) ? LogLevel.info : .debug
    guard level >= logger.level else { return try await next() }
    let start = ContinuousClock.now
    do {
      try await next()
      let status = call.outcome
      log(call, level, status?.code.name ?? "OK", since: start, error: status?.message)
    } catch {
      let status = call.outcome ?? error as? RPCError
      let code =
        status?.code.name ?? (error is CancellationError ? "CANCELLED" : "UNKNOWN")
      log(call, level, code, since: start, error: status?.message)
      throw error
    }
  }

  private func log(
    _ call: ServerCall, _ level: LogLevel, _ code: String, since start: ContinuousClock.Instant,
    error: String? = nil
  ) {
    let took = (ContinuousClock.now - start).components
    let milliseconds = took.seconds * 1000 + took.attoseconds / 1_000_000_000_000_000
    let method = LogValue.string(call.path)
    let caller = LogValue.string(CallerIdentity.name(call.peer) ?? call.peer.address)
    if let error, !error.isEmpty {
      logger.log(
        level, "call",
        [
          "method": method, "caller": caller, "code": .string(code),
          "milliseconds": .integer(milliseconds), "error": .string(error),
        ])
    } else {
      logger.log(
        level, "call",
        [
          "method": method, "caller": caller, "code": .string(code),
          "milliseconds": .integer(milliseconds),
        ])
    }
  }
}
