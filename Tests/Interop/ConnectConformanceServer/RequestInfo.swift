import ConnectSupport
import Encodings
import RPC
import Schema
import TestSchemas

/// What a handler saw of its request, for the client to check.
struct RequestInfo: Sendable {
  private var info = Conformance.ConformancePayload.RequestInfo()

  init(_ call: ServerCall) {
    info.requestHeaders = call.metadata.headers
    if let deadline = call.deadline {
      let (seconds, attoseconds) = (deadline - ContinuousClock.now).components
      info.timeoutMS = max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
    if let mark = call.path.firstIndex(of: "?") {
      var getInfo = Conformance.ConformancePayload.ConnectGetInfo()
      for part in call.path[call.path.index(after: mark)...].split(separator: "&") {
        let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        var header = Conformance.Header()
        header.name = String(pair[0])
        let value = pair.count == 2 ? pair[1] : ""
        header.value = [
          PercentEncoding.decode(value, plus: .space).map { String(decoding: $0, as: UTF8.self) }
            ?? String(value)
        ]
        getInfo.queryParams.append(header)
      }
      info.connectGetInfo = getInfo
    }
  }

  func message(
    _ requests: [AnyMessage]
  ) -> Conformance.ConformancePayload.RequestInfo {
    var message = info
    message.requests = requests
    return message
  }
}
