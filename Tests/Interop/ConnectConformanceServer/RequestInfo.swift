import ConnectSupport
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
        header.value = [pair.count == 2 ? Self.unescaped(pair[1]) : ""]
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

  private static func unescaped(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let code = UInt8(String(Substring(rest.prefix(2))), radix: 16) {
        bytes.append(code)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
