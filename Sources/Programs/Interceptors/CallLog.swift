public import Daemon
public import RPC

/// Logs calls when they end: at `info` those of noteworthy methods, the rest at `debug`. Neither requests nor
/// responses are logged.
///
/// One log is of the noteworthy methods or of the rest, so that a call whose log line the logger would leave out pays
/// for one comparison, also where the logger's level is changed later.
public struct CallLog: ServerInterceptor {
  private let logger: Logger
  /// Of which methods' calls.
  public enum Scope: Sendable {
    case noteworthy
    case rest
  }

  private let scope: Scope
  private let level: LogLevel
  private let noteworthy: Set<String>
  private let identify: @Sendable (ServerCall) -> String?

  /// - Parameters:
  ///   - scope: of which methods' calls.
  ///   - noteworthy: the paths of the methods that change something or hand a credential out.
  ///   - identify: the caller's name; nil for a caller who is known by address only.
  public init(
    _ scope: Scope, logger: Logger, noteworthy: Set<String>,
    identify: @escaping @Sendable (ServerCall) -> String?
  ) {
    self.scope = scope
    level = scope == .noteworthy ? .info : .debug
    self.logger = logger
    self.noteworthy = noteworthy
    self.identify = identify
  }

  /// The path without a query: in a GET that holds the request.
  private static func method(_ path: String) -> String { String(path.prefix { $0 != "?" }) }

  public func intercepts(_ path: String) -> Bool {
    noteworthy.contains(Self.method(path)) == (scope == .noteworthy)
  }

  public func passes(_ call: ServerCall) -> Bool { level < logger.level }

  public func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    let start = ContinuousClock.now
    do {
      try await next()
      log(call, call.outcome, otherwise: "OK", since: start)
    } catch {
      log(
        call, call.outcome ?? error as? RPCError,
        otherwise: error is CancellationError ? "CANCELLED" : "UNKNOWN", since: start)
      throw error
    }
  }

  private func log(
    _ call: ServerCall, _ status: RPCError?, otherwise code: String,
    since start: ContinuousClock.Instant
  ) {
    let took = (ContinuousClock.now - start).components
    let milliseconds = took.seconds * 1000 + took.attoseconds / 1_000_000_000_000_000
    let method = LogValue.string(Self.method(call.path))
    let caller = LogValue.string(identify(call) ?? call.peer.address)
    let code = LogValue.string(status?.code.name ?? code)
    if let message = status?.message, !message.isEmpty {
      logger.log(
        level, "call",
        [
          "method": method, "caller": caller, "code": code, "milliseconds": .integer(milliseconds),
          "error": .string(message),
        ])
    } else {
      logger.log(
        level, "call",
        [
          "method": method, "caller": caller, "code": code, "milliseconds": .integer(milliseconds),
        ])
    }
  }
}
