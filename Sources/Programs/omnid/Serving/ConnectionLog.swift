import Daemon
import RPCTransport

/// Logs connections that were refused, or ended for what their clients did.
struct ConnectionLog: Sendable {
  let logger: Logger

  @Sendable func report(_ report: ConnectionReport) {
    var fields: KeyValuePairs<String, LogValue> = [
      "listener": .string(report.listener), "client": .string(report.peer),
      "reason": .string(report.reason),
    ]
    if report.omitted > 0 {
      fields = [
        "listener": .string(report.listener), "client": .string(report.peer),
        "reason": .string(report.reason), "left_out": .integer(Int64(report.omitted)),
      ]
    }
    logger.warning(report.kind.rawValue, fields)
  }
}
