public import Daemon
public import RPC

/// Who makes a call, as the log has it.
public struct LoggedCaller: Sendable {
  public var name: String
  /// Nil for a caller who is known and has no rights.
  public var role: String?

  public init(name: String, role: String?) {
    self.name = name
    self.role = role
  }
}

/// Logs calls when they end: at `info` those of noteworthy methods, the rest at `debug`. Neither requests nor
/// responses are logged, but for what the code that serves a call has noted in the call's record.
///
/// One log is of the noteworthy methods or of the rest, so that a call whose log line the logger would leave out pays
/// for one comparison, also where the logger's level is changed later. Only a call that is logged has a record.
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
  private let identify: @Sendable (ServerCall) -> LoggedCaller?

  /// - Parameters:
  ///   - scope: of which methods' calls.
  ///   - noteworthy: the paths of the methods that change something or hand a credential out.
  ///   - identify: the caller; nil for one who is known by address only.
  public init(
    _ scope: Scope, logger: Logger, noteworthy: Set<String>,
    identify: @escaping @Sendable (ServerCall) -> LoggedCaller?
  ) {
    self.scope = scope
    level = scope == .noteworthy ? .info : .debug
    self.logger = logger
    self.noteworthy = noteworthy
    self.identify = identify
  }

  public func intercepts(_ path: String) -> Bool {
    noteworthy.contains(path) == (scope == .noteworthy)
  }

  public func passes(_ call: ServerCall) -> Bool { level < logger.level }

  public func intercept(_ call: ServerCall, next: () async throws -> Void) async throws {
    let start = ContinuousClock.now
    let record = call.beginRecord()
    // Before the call, because it may end what its caller is known by.
    let caller = identify(call)
    do {
      try await next()
      log(call, record, caller, call.outcome, otherwise: "OK", since: start)
    } catch {
      log(
        call, record, caller, call.outcome ?? error as? RPCError,
        otherwise: error is CancellationError ? "CANCELLED" : "UNKNOWN", since: start)
      throw error
    }
  }

  private func log(
    _ call: ServerCall, _ record: CallRecord, _ caller: LoggedCaller?, _ status: RPCError?,
    otherwise code: String, since start: ContinuousClock.Instant
  ) {
    let took = ContinuousClock.now - start
    // What callers are known by may have been read only while the call waited for that.
    let caller = caller ?? identify(call)
    var fields: LogFields = [
      .call: .string(record.id), .method: .string(call.method),
      .caller: .string(caller?.name ?? call.peer.address),
    ]
    if let caller { fields[.role] = .string(caller.role ?? "none") }
    for (name, value) in record.notes {
      guard let field = LogField(rawValue: name) else { continue }
      switch value {
      case .text(let text): fields[field] = .string(text)
      case .number(let number): fields[field] = .integer(number)
      }
    }
    fields[.code] = .string(status?.code.name ?? code)
    fields[.milliseconds] = .integer(took.wholeMilliseconds)
    fields[.timeoutMilliseconds] = call.timeout.map { .integer($0.wholeMilliseconds) }
    if let trace = call.field("traceparent").flatMap({ TraceContext(traceparent: $0) }) {
      fields[.trace] = .string(trace.traceIDText)
    }
    if let message = status?.message, !message.isEmpty { fields[.error] = .string(message) }
    logger.log(level, "call", fields)
  }
}

extension Duration {
  fileprivate var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    let (whole, isTooLong) = seconds.multipliedReportingOverflow(by: 1000)
    return isTooLong ? .max : whole + attoseconds / 1_000_000_000_000_000
  }
}
