import Daemon
import RPCTransport

/// Logs connections and requests that were refused, or ended for what their clients did.
struct ConnectionLog: Sendable {
  let logger: Logger

  @Sendable func report(_ report: ConnectionReport) {
    var fields: LogFields = [
      .listener: .string(report.listener), .client: .string(report.peer),
      .reason: .string(report.reason),
    ]
    if report.omitted > 0 { fields[.leftOut] = .integer(Int64(report.omitted)) }
    logger.warning(report.kind.rawValue, fields)
  }
}
